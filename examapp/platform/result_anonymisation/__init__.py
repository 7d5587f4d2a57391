"""Anonymising old results."""
