"""Menu and home pages."""
