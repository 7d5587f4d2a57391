"""What each figure means; chart geometry; pure."""
