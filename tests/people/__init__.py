"""Persons, sign-in, roster."""
