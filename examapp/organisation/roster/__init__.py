"""The roster: people join, change, move, leave and return."""
