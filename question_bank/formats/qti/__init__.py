"""QTI 2.1, 2.2 and 3.0 (1EdTech): items and packages, read by one reader and written by one writer."""

from question_bank.formats.qti.reader import looks_like, read
from question_bank.formats.qti.writer import write, write_qti21, write_qti22, write_qti30

__all__ = ["looks_like", "read", "write", "write_qti21", "write_qti22", "write_qti30"]
