"""Reads of the unit book."""
