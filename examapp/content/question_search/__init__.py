"""Search and lists of the question bank."""
