"""Parsed questions into rows; the seed questions."""
