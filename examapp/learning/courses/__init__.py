"""Courses and chapters."""
