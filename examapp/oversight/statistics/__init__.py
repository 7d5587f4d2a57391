"""Participation and scores per unit; cached statistics."""
