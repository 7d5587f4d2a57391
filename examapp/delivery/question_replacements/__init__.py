"""A bad question replaced in papers that nobody has started."""
