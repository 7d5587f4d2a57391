"""Question search."""
