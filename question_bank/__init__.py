"""Question kinds, file formats, checks and the seed questions; stands alone, without Flask and SQL."""
