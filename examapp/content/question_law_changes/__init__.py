"""Question law changes."""
