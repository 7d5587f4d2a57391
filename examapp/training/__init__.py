"""Courses, practice, mistake book, and the clearances of study gates."""
