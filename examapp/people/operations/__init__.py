"""Writes about persons: signing in, passwords, the roster, roles, and roster imports; one module each."""
