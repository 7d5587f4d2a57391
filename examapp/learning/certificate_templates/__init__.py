"""Certificate templates."""
