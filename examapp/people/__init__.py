"""Persons, roles in units, roster moves, sign-in; access.py is the only door to Flask-Login."""
