"""Question review."""
