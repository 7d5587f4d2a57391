"""Study events."""
