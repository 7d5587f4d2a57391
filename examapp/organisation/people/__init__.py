"""Persons, the roster, disclosure of ID and mobile numbers."""
