"""Security checklist."""
