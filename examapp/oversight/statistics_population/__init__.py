"""Statistics population."""
