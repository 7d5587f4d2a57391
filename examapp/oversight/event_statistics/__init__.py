"""Totals of events of legal education, and who has held none."""
