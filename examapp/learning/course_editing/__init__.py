"""The editor of courses."""
