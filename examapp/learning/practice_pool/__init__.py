"""Practice pool."""
