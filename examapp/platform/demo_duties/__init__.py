"""Demo duties."""
