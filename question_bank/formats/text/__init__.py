"""Plain texts of questions in the free forms in which Chinese banks are written."""

from question_bank.formats.text.reading import looks_like, read, read_text

__all__ = ["looks_like", "read", "read_text"]
