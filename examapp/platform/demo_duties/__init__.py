"""The demo county's duties."""
