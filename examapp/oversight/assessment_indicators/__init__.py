"""Indicators of the assessment."""
