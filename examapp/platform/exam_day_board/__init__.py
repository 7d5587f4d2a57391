"""Exam day board."""
