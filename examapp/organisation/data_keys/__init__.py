"""Encryption keys: rotate, status, check."""
