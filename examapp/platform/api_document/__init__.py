"""Api document."""
