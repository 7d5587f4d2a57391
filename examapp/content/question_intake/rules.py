"""Check the articles that question files cite, and the gists of articles, against the texts of their laws; describe results as JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from examapp.content.law_texts.rules import ARTICLE, UnreadableLawError, article_labels, law_name, read_law_text
from examapp.documents.html import html_to_text
from examapp.points import as_text
from question_bank.coursetext import read_courses
from question_bank.formats import examtext
from question_bank.gists import copied_share, iter_gist_issues, read_gists
from question_bank.guessing import MIN_MEASURED
from question_bank.kinds.registry import kind_of
from question_bank.model import Note, ParseResult, Question, QuestionForReview, ReadQuestion
from question_bank.quality import Measure, iter_true_judgements, read_content

COPIED = 0.8
"""A true judgement of which so much stands word for word in its articles asks for memory only."""
MAX_COPIED_SHARE = 5
"""Per cent of the true judgements that are copied, at most."""
_SUFFIXES = frozenset({".txt", ".md", ".docx"})
_NAMED = re.compile(
    rf"(》(?:（[^）]*）)?|(?<!本)法|法典|(?<!本)条例|规定|办法|解释)?((?:{ARTICLE.pattern}(?:第\S款)?(?:第\S项)?[、和至及]*)+)"
)
"""Articles named one after another, and the end of another law's name where one stands directly before them."""
_DAY = re.compile(r"[（(]\d{4}-\d{2}-\d{2}[)）]$")


def missing_articles(path: Path, laws: Path) -> Iterator[str]:
    """Yield the articles that a question file cites and its law's version does not have; nothing where the text is not available."""
    reading = examtext.read(path.read_bytes(), name=path.name)
    questions = [item.question for item in reading.imported]
    known: dict[tuple[str, str], dict[str, str]] = {}
    for question in questions:
        for part in (question, *question.parts):
            cited = part.citation
            if cited is None or cited.version is None:
                continue
            place = (cited.law, cited.version)
            if place not in known:
                known[place] = read_articles(laws, *place)
            for label in article_labels(cited.article):
                if known[place] and label not in known[place]:
                    yield f"{question.code}：《{cited.law}》（{cited.version}）没有{label}"


def uncited_articles(path: Path) -> Iterator[str]:
    """Yield the articles of its own law that an explanation in a question file names and the question does not cite: a reader could not open them."""
    for item in examtext.read(path.read_bytes(), name=path.name).imported:
        question = item.question
        for part in (question, *question.parts):
            cited = {
                label
                for one in (question.citation, part.citation)
                if one is not None
                for label in article_labels(one.article)
            }
            named = (
                label for run in _NAMED.finditer(part.explanation) if not run[1] for label in article_labels(run[2])
            )
            yield from (
                f"{question.code}：解析提到{label}，条文没有写" for label in dict.fromkeys(named) if label not in cited
            )


def list_gist_issues(folder: Path, laws: Path) -> Iterator[str]:
    """Yield what is wrong with the gists of a folder beside the texts of their laws: articles that do not exist, foreign numbers, copied runs."""
    for gists in read_gists(folder):
        texts = read_articles(laws, gists.law, str(gists.version_on))
        for label, gist in gists.by_label.items() if texts else ():
            issues = iter_gist_issues(gist, texts[label]) if label in texts else ("法律中没有这一条",)
            yield from (f"{gists.law}{label}：{issue}" for issue in issues)


def measure_gists(folder: Path) -> Measure:
    """Return whether the articles that the questions of a folder and the courses beside it cite have their gists, in the same version."""
    cited = {
        (law_name(part.citation.law), part.citation.version, label)
        for question in read_content(folder)
        for part in (question, *question.parts)
        if part.citation
        for label in article_labels(part.citation.article)
    }
    for course in read_courses(folder.parent / "courses"):
        cited |= {
            (law_name(course.law), str(course.version_on), label)
            for chapter in course.chapters
            for label in chapter.articles
        }
    gists = read_gists(folder / "gists")
    known = {(law_name(each.law), str(each.version_on), label) for each in gists for label in each.by_label}
    missing = Counter(law for law, _, _ in cited - known)
    named = "，".join(f"{law} {count} 条" for law, count in missing.most_common(5))
    text = f"引用的 {len(cited)} 条中 {len(cited & known)} 条有要点（应是全部）{'；缺：' + named if named else ''}；{len(gists)} 部法律中 {sum(1 for each in gists if each.reviewed_on)} 部对照条文读过第二次"
    return Measure("条文要点", not missing, text)


def measure_copied(folder: Path, laws: Path) -> Measure:
    """Return whether few true judgements of a folder repeat their articles word for word."""
    texts: dict[tuple[str, str], dict[str, str]] = {}
    copied, count = [], 0
    for question, part in iter_true_judgements(read_content(folder)):
        cited = part.citation or question.citation
        if cited is None or cited.version is None:
            continue
        place = (cited.law, cited.version)
        if place not in texts:
            texts[place] = read_articles(laws, *place)
        source = "；".join(texts[place].get(label, "") for label in article_labels(cited.article))
        count += 1
        if copied_share(part.stem, source) >= COPIED:
            copied.append(str(question.code))
    share = 100 * len(copied) / (count or 1)
    named = f"，如 {'、'.join(copied[:5])}" if copied else ""
    text = f"{count} 道正确的判断题中有 {len(copied)} 道的八成以上照抄条文，占 {share:.1f}%（应不超过 {MAX_COPIED_SHARE}%）{named}"
    return Measure("判断题不照抄条文", share <= MAX_COPIED_SHARE or count < MIN_MEASURED, text)


def read_articles(laws: Path, law: str, version: str) -> dict[str, str]:
    """Read the texts of all articles of a version by label; empty where no file of the folder holds it."""
    found: dict[str, str] = {}
    for text in sorted(laws.rglob("*")):
        if text.suffix not in _SUFFIXES or not text.is_file():
            continue
        name = _DAY.sub("", text.stem)
        if text.stem == f"{law}({version})" or law in {name if name == text.stem else "", text.parent.name}:
            found |= _articles_of(text, law, version)
    return found


def _articles_of(text: Path, law: str, version: str) -> dict[str, str]:
    try:
        read = read_law_text(text.read_bytes(), f"{law}({version}){text.suffix}")
    except UnreadableLawError:
        return {}
    return {article.label: article.text for article in read.articles}


def describe(question: Question) -> dict[str, Any]:
    """Return a question as JSON: texts without markup, beside them the HTML where there is any; the key by kind.

    `key`: option letters of choices, `["A"]` or `["B"]` of true/false, a list of variants a blank of fill-ins, the model answer of short
    answers, `[]` of cases, whose `parts` have their own.
    """
    described: dict[str, Any] = {
        "kind": str(question.kind),
        "stem": _plain(question.stem, question),
        "options": [_plain(option, question) for option in question.options],
        "key": kind_of(question.kind).key_json(question, plain=lambda text: _plain(text, question)),
        "explanation": _plain(question.explanation, question),
        "difficulty": question.difficulty,
        "points": as_text(question.points),
        "code": question.code,
        "knowledge_points": list(question.knowledge_points),
        "tags": list(question.tags),
        "images": len(question.images),
        "citation": None,
    }
    if question.citation:
        citation = question.citation
        described["citation"] = {"law": citation.law, "article": citation.article, "version": citation.version}
    if question.is_html:
        described |= {"stem_html": question.stem, "options_html": list(question.options)}
    if not kind_of(question.kind).is_part:
        described["parts"] = [describe(part) for part in question.parts]
    return described


def _plain(text: str, question: Question) -> str:
    return html_to_text(text) if question.is_html else text


def note_json(note: Note) -> dict[str, str]:
    """Return a loss or rejection as JSON."""
    return {"where": note.where, "reason": note.reason, "code": note.code}


def read_json(item: ReadQuestion) -> dict[str, Any]:
    """Return an imported question with its place and losses as JSON."""
    return {**describe(item.question), "where": item.where, "losses": [note_json(note) for note in item.dropped]}


def question_for_review_json(item: QuestionForReview) -> dict[str, Any]:
    """Return a question whose key is in doubt as JSON."""
    return {**note_json(item.note), "question": describe(item.question)}


def dropped_of(items: Iterable[ReadQuestion]) -> list[dict[str, str]]:
    """List all losses of imported questions."""
    return [note_json(note) for item in items for note in item.dropped]


def describe_reading(reading: ParseResult) -> dict[str, Any]:
    """Return a file's result as the command line prints it; the counts add up to `found`."""
    return {
        "format": reading.format,
        "found": reading.found,
        "census": {"count": reading.census, "differs": reading.differs_from_census},
        "imported": len(reading.imported),
        "loss": dropped_of(reading.imported),
        "doubtful": [question_for_review_json(item) for item in reading.needing_review],
        "refused": [note_json(note) for note in reading.rejected],
        "remarks": [note_json(note) for note in reading.remarks],
        "questions": [read_json(item) for item in reading.imported],
    }
