"""Data inventory."""
