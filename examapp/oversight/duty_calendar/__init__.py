"""Key dates and periods."""
