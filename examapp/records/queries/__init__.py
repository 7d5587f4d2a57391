"""Reads about events, certificates, who has studied what, and a person's study record."""
