"""Mastery by law and knowledge point."""
