"""Mergers, splits and renamings of units."""
