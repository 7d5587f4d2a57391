"""Moodle XML: https://docs.moodle.org/en/Moodle_XML_format."""

from question_bank.formats.moodle_xml.reader import looks_like, read
from question_bank.formats.moodle_xml.writer import write

__all__ = ["looks_like", "read", "write"]
