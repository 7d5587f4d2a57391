"""Yearly assessment of duties: score sheets, reviews, votes."""
