"""Questions on changed articles."""
