"""A person's study record."""
