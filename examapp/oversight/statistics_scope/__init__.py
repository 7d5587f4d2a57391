"""Statistics scope."""
