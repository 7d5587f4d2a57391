"""Privacy page, own data, retention."""
