"""The operator's checklist."""
