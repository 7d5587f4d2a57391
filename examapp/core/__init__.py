"""Database session, clock, errors, permission names, points, spreadsheets, logging, embedded servers."""
