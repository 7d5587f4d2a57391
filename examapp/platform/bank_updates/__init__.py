"""A new edition of questions, gists and courses brought into a running county."""
