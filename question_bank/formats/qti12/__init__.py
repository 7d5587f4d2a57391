"""QTI 1.2 as Canvas and its elders write it: one file of questions, or a package."""

from question_bank.formats.qti12.reader import looks_like, read
from question_bank.formats.qti12.writer import write

__all__ = ["looks_like", "read", "write"]
