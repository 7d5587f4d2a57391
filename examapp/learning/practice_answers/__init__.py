"""Practice answers."""
