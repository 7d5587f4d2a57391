"""Simulated candidates of a rehearsal."""
