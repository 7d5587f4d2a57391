"""Exam day."""
