"""Question duplicates."""
