"""Accounts, sign-in rows, known devices; the guards of views and who is signed in."""
