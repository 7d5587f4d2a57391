"""Feedback and answers."""
