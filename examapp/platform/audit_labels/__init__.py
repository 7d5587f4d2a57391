"""Audit labels."""
