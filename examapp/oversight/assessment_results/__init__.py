"""Results of an assessment."""
