"""Studying a course."""
