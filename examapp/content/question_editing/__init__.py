"""Question editing."""
