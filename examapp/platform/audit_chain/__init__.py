"""Audit chain."""
