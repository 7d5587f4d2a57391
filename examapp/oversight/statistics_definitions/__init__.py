"""Statistics definitions."""
