"""Writes about reports: exports, and the files that they become."""
