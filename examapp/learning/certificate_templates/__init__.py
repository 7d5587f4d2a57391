"""Templates of certificates."""
