"""What the machine finds in one question, as a checklist for its reviewer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from examapp.content.laws.queries import ArticleContent
from question_bank.gists import foreign_numbers
from question_bank.guessing import ABSOLUTE_TERMS, is_right, option_texts
from question_bank.kinds.registry import kind_of, parts_of
from question_bank.model import Question
from question_bank.quality import check_question


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule of `bank check` applied to one question; without findings it is kept."""

    name: str
    findings: tuple[str, ...]


def check_draft(
    question: Question, articles: Sequence[Sequence[ArticleContent]], *, similar_codes: Sequence[str]
) -> list[CheckedRule]:
    """Apply each rule to a question; `articles` are the contents of what each part cites."""
    parts = list(enumerate(parts_of(question)))
    shown = [(f"第 {number + 1} 小题：" if len(parts) > 1 else "", number, part) for number, part in parts]
    findings = {
        "解析、条文、难度、知识点齐全，选项成形": list(dict.fromkeys(check_question(question))),
        "引用的条文在法律法规中": [
            f"{mark}{article.label}没有原文，也没有要点"
            for mark, number, _ in shown
            for article in (articles[number] if number < len(articles) else ())
            if not article.text and not article.gist
        ],
        "答案中的数字出自条文": [
            f"{mark}{text}"
            for mark, number, part in shown
            for text in _strange_numbers(part, articles[number] if number < len(articles) else ())
        ],
        "正确选项不因最长而露底": [f"{mark}正确选项唯一最长" for mark, _, part in shown if _is_longest_right(part)],
        "绝对化用语不露底": [
            f"{mark}{text}" for mark, _, part in shown if (text := "、".join(_revealing_terms(part)))
        ],
        "没有近似题": [f"与 {code} 很像" for code in similar_codes],
    }  # fmt: skip
    return [CheckedRule(name, tuple(found)) for name, found in findings.items()]


def _right_texts(part: Question) -> Iterator[str]:
    if kind_of(part.kind).has_options:
        yield from (text for index, text in enumerate(part.options) if is_right(part, index))
    for variants in part.blanks:
        yield from variants[:1]


def _strange_numbers(part: Question, articles: Sequence[ArticleContent]) -> Iterator[str]:
    """Yield what of the key names a number that none of the cited articles holds; nothing where no article has contents."""
    source = "\n".join(f"{article.text}\n{article.gist}" for article in articles if article.text or article.gist)
    for text in _right_texts(part) if source else ():
        if numbers := foreign_numbers(text, source):
            yield f"“{text[:30]}”中的 {'、'.join(numbers)} 条文里没有，如果是算出来的，请验算"


def _is_longest_right(part: Question) -> bool:
    lengths = {is_right(part, index): 0 for index in range(len(part.options))}
    for index, text in enumerate(part.options):
        lengths[is_right(part, index)] = max(lengths[is_right(part, index)], len(text))
    return len(part.key) == 1 and lengths.get(True, 0) > lengths.get(False, 0) > 0


def _revealing_terms(part: Question) -> Iterator[str]:
    """Yield each wrong text with an absolute word, where no right text has one."""
    if not kind_of(part.kind).has_options:
        return
    texts = list(enumerate(option_texts(part)))
    if any(ABSOLUTE_TERMS.search(text) for index, text in texts if is_right(part, index)):
        return
    for index, text in texts:
        if not is_right(part, index) and (found := ABSOLUTE_TERMS.search(text)):
            yield f"错误选项“{text[:20]}”含“{found[0]}”，正确选项都不含"
