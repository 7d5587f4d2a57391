"""Exams from publication to results."""
