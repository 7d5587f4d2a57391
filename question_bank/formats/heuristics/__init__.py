"""Recognise questions in tables and texts as Chinese question banks write them."""
