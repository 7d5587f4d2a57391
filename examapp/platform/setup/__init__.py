"""First set-up and settings."""
