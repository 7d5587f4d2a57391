"""Validate a question, for every format's reader and for the editor."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from question_bank.kinds.base import MAX_TEXT, Issue, Severity
from question_bank.kinds.registry import kind_of
from question_bank.model import Question
from question_bank.rich import Rich

_NO_STEM = Issue(
    code="no_stem", reason="题干是空的，没有可以作答的内容。请补上题干后再导入。", severity=Severity.REJECT
)


def own_issues(question: Question) -> Iterator[Issue]:
    """Yield what is wrong with a question itself, whatever its key is: its texts, then what its kind asks for."""
    if Rich(question.stem, question.is_html).is_blank:
        yield _NO_STEM
    yield from text_issues(question.stem, question.explanation, *question.options, is_html=question.is_html)
    yield from kind_of(question.kind).iter_issues(question)


def iter_issues(question: Question) -> Iterator[Issue]:
    """Yield what is wrong with a question and its parts, whatever the keys are."""
    yield from own_issues(question)
    for number, part in enumerate(question.parts, 1):
        yield from (_of_part(issue, number) for issue in iter_issues(part))


def iter_key_issues(question: Question) -> Iterator[Issue]:
    """Yield what is wrong with the keys of a question and its parts."""
    yield from kind_of(question.kind).iter_key_issues(question)
    for number, part in enumerate(question.parts, 1):
        yield from (_of_part(issue, number) for issue in iter_key_issues(part))


def text_issues(*texts: str, is_html: bool = False) -> Iterator[Issue]:
    """Yield a text that is longer than a question may hold."""
    longest = max(len(Rich(text, is_html).plain) if len(text) > MAX_TEXT else len(text) for text in texts)
    if longest > MAX_TEXT:
        reason = f"题里有一段文字长达 {longest} 个字，超过 {MAX_TEXT} 个字的上限，没有导入。请精简，或核对是否几道题连在了一起。"
        yield Issue(code="too_long", reason=reason, severity=Severity.REJECT)


def _of_part(issue: Issue, number: int) -> Issue:
    return replace(issue, reason=f"第 {number} 小题：{issue.reason}")


def find_issue(issues: Iterable[Issue], severity: Severity) -> Issue | None:
    """Return the first issue of a severity; None where there is none."""
    return next((issue for issue in issues if issue.severity is severity), None)
