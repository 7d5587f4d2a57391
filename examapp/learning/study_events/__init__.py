"""Study events and attendance."""
