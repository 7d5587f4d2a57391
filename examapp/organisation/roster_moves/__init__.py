"""Transfers, secondments, leavers, on their day."""
