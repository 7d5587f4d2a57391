"""Approved roster changes carried out."""
