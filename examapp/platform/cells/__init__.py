"""Cells of a province: each a site with a database of its own, whose ids lie in a range of their own."""
