"""Pure rules about laws: how they and their articles are named, how their texts are read, how versions differ."""

from examapp.laws.rules.comparing import ArticleChange, Change, Comparison, bare_text, compare_articles
from examapp.laws.rules.naming import article_labels, chinese_number, iso_day, law_name, number_of
from examapp.laws.rules.texts import LawText, ReadArticle, UnreadableLawError, read_law_text

__all__ = [
    "ArticleChange",
    "Change",
    "Comparison",
    "LawText",
    "ReadArticle",
    "UnreadableLawError",
    "article_labels",
    "bare_text",
    "chinese_number",
    "compare_articles",
    "iso_day",
    "law_name",
    "number_of",
    "read_law_text",
]
