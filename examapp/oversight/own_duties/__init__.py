"""Own duties."""
