"""The board of exam day."""
