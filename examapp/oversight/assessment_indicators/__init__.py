"""Assessment indicators."""
