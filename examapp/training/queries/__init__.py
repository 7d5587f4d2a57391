"""Reads about practice, mistakes, courses and how far people have come."""
