"""Corrections of what grades are made of."""
