"""Question kinds: one module a kind, all of them in `registry`."""
