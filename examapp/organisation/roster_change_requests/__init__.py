"""Lists of roster changes that units submit."""
