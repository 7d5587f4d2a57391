"""Dual control."""
