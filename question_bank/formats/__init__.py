"""Formats of question files, each a module of its own; the registry finds the right one for a file."""
