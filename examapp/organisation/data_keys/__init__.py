"""Data keys."""
