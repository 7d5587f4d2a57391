"""Audit detail labels."""
