"""Rehearsal runs."""
