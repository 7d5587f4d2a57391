"""Filters, context and fingerprint of a report."""
