"""Lists of people behind a figure."""
