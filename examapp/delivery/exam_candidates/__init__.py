"""Exam candidates."""
