"""GIFT, Moodle's text format: https://docs.moodle.org/en/GIFT_format."""

from question_bank.formats.gift.reader import looks_like, read
from question_bank.formats.gift.writer import write

__all__ = ["looks_like", "read", "write"]
