"""Units: the region tree and the sector tree, their file."""
