"""Hand-in, extension, reopening, contact."""
