"""Assessment tables."""
