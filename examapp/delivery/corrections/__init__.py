"""Corrected keys and regrades."""
