"""Study gates."""
