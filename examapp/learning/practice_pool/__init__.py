"""Which questions practice may draw."""
