"""External results."""
