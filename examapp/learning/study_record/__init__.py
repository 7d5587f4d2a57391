"""Study record."""
