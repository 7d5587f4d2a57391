"""Pure rules about laws: how they and their articles are named, how their texts are read."""

from examapp.laws.rules.naming import article_labels, chinese_number, iso_day, law_name, number_of
from examapp.laws.rules.texts import LawText, ReadArticle, UnreadableLawError, read_law_text

__all__ = [
    "LawText",
    "ReadArticle",
    "UnreadableLawError",
    "article_labels",
    "chinese_number",
    "iso_day",
    "law_name",
    "number_of",
    "read_law_text",
]
