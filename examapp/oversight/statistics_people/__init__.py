"""Statistics people."""
