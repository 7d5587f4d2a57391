"""Certificates: plans, issue, verification."""
