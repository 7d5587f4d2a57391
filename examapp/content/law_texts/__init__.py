"""Law texts."""
