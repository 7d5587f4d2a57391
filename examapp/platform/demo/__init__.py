"""Loads the demo county."""
