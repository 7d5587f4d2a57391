"""Rehearsal of an exam day."""
