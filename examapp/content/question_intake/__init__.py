"""Question intake."""
