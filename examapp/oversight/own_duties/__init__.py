"""A unit's own duties; the public page."""
