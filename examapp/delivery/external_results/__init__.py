"""Results of another platform, from its file."""
