"""Hold events, note who was there, write templates and plans, issue and correct certificates."""
