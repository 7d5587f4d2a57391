"""Study required before an exam."""
