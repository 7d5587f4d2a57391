"""Exam publication."""
