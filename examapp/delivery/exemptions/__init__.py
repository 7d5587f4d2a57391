"""Exemptions."""
