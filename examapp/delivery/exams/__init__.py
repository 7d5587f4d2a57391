"""Exams and sessions: window, audience, rules."""
