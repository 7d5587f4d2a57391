"""The demo county's courses and events."""
