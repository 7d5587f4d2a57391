"""Report templates of the office's own."""
