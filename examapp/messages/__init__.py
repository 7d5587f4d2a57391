"""Notices, reminders, the gateway to the outside, feedback and its answers."""
