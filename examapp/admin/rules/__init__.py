"""Pure decisions of the frame: when a start is refused, what stands in the menu, what a home page says."""
