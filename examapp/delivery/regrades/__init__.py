"""Corrected keys of the bank, and regrades of what was graded by the old ones."""
