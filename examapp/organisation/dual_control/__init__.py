"""Acts that need a second person."""
