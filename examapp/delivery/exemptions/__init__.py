"""Exemptions and deferrals."""
