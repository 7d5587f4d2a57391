"""A fictitious county to try the product on."""
