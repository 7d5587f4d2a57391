"""Reads for figures by unit; every one of them stands on the one select of `people.py`."""
