"""Review cards."""
