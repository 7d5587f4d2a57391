"""Passwords changed and issued; audit of downloads and of denied access; the account pages."""
