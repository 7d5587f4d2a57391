"""Duty lists: which unit teaches which law to whom."""
