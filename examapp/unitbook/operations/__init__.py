"""What the office and the units do in the unit book."""
