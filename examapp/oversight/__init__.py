"""Figures, reports, reminders, duty lists and assessments."""
