"""Question kinds: one class a kind, all of them in `registry`."""
