"""Study progress of a unit."""
