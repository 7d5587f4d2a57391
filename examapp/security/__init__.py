"""Ciphers, password hashing, permissions, rate limits."""
