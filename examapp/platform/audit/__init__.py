"""Append-only audit log: writing, reading, archives."""
