"""Mastery."""
