"""Who is counted."""
