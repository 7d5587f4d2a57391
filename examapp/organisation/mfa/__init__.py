"""One-time codes as second factor."""
