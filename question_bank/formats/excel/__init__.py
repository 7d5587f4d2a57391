"""Excel workbooks: questions in and out, and the empty template for people to fill in."""

from question_bank.formats.excel.reading import looks_like, read
from question_bank.formats.excel.template import template
from question_bank.formats.excel.writing import write

__all__ = ["looks_like", "read", "template", "write"]
