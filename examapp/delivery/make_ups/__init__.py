"""Make ups."""
