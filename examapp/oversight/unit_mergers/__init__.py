"""Unit mergers."""
