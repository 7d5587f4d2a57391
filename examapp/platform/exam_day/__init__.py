"""Decisions on exam day: reopening, late answers, grading again."""
