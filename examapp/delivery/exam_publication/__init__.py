"""Publish, prolong, close."""
