"""Backup and restore drill."""
