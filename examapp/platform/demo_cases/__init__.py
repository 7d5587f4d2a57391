"""The demo county's cases that explain law."""
