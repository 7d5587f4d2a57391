"""Report exports."""
