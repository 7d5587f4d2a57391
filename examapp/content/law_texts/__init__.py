"""Law texts from documents."""
