"""Courses, practice, events and certificates."""
