"""Start admission and start."""
