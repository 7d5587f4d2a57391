"""Append-only log of who did what to what, when and from where."""
