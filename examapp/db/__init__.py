"""The database session, column types, encrypted columns, schema checks."""
