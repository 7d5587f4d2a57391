"""Demo county."""
