"""Corrections of grades; corrected keys and regrades."""
