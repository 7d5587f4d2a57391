"""Roles and the units they reach (access scope)."""
