"""What a machine can hold of a bank's quality: `python -m question_bank.check FILE…` prints one line a finding."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from question_bank import textformat
from question_bank.kinds.registry import kind_of, parts_of
from question_bank.model import OPTION_LETTERS, Kind, Question
from question_bank.similarity import SIMILARITY_THRESHOLD, find_near_duplicates


def read_content(folder: Path) -> list[Question]:
    """Read the seed questions of a folder, in the order of file names; raises ValueError where one is not sound."""
    questions: list[Question] = []
    for path in sorted(folder.glob("*.txt")):
        reading = textformat.read(path.read_bytes(), name=path.name)
        if reading.refused or reading.doubtful:
            raise ValueError(f"{path.name}: {reading.refused or reading.doubtful}")
        questions += [item.question for item in reading.imported]
    return questions


def check_question(question: Question) -> Iterator[str]:
    """Yield what is wrong with one question by itself."""
    for part in parts_of(question):
        if not part.explanation:
            yield "没有解析"
        yield from kind_of(part.kind).iter_style_issues(part)
    if question.citation is None or not question.citation.article.startswith("第"):
        yield "没有条文"
    if question.difficulty is None:
        yield "没有难度"
    if not question.knowledge_points:
        yield "没有知识点"


def near_duplicates(questions: Sequence[Question]) -> Iterator[tuple[Question, Question]]:
    """Yield pairs of questions whose stems are nearly the same (threshold NEAR_DUPLICATE)."""
    for one, other, _ in find_near_duplicates(
        [question.stem for question in questions], threshold=SIMILARITY_THRESHOLD
    ):
        yield questions[one], questions[other]


def give_aways(questions: Sequence[Question]) -> Iterator[str]:
    """Yield what would let a reader guess: the longest option right too often, letters or truth unevenly spread."""
    singles = [q for top in questions for q in parts_of(top) if q.kind is Kind.SINGLE_CHOICE]
    longest = sum(1 for q in singles if _is_longest(q))
    if len(singles) >= 8 and longest > 0.25 * len(singles) + 2 * (0.1875 * len(singles)) ** 0.5:
        yield f"{len(singles)} 道单选题中有 {longest} 道正确选项唯一最长（应约为四分之一）"
    letters = Counter(q.key[0] for q in singles)
    expected = len(singles) / 4
    for letter in OPTION_LETTERS[:4]:
        if len(singles) >= 12 and abs(letters[letter] - expected) > 2.5 * (0.1875 * len(singles)) ** 0.5:
            yield f"单选题答案 {letter} 出现 {letters[letter]} 次，应约为 {expected:.0f} 次"
    truths = [q.key[0] for top in questions for q in parts_of(top) if q.kind is Kind.TRUE_FALSE]
    if len(truths) >= 8 and not 0.25 <= truths.count("A") / len(truths) <= 0.75:
        yield f"{len(truths)} 道判断题中有 {truths.count('A')} 道正确，应约一半"


def _is_longest(question: Question) -> bool:
    right = question.options[OPTION_LETTERS.index(question.key[0])]
    return all(len(option) < len(right) for option in question.options if option is not right)


def check_file(path: Path) -> Iterator[str]:
    """Yield every finding of one content file, each with the question's number."""
    reading = textformat.read(path.read_bytes(), name=path.name)
    for note in [*reading.refused, *(d.note for d in reading.doubtful), *reading.remarks]:
        yield f"{note.where}：{note.reason}"
    questions = [item.question for item in reading.imported]
    for question in questions:
        yield from (f"{question.code}：{finding}" for finding in check_question(question))
    for code, count in Counter(q.code for q in questions).items():
        if count > 1:
            yield f"{code}：编号重复"
    for one, other in near_duplicates(questions):
        yield f"{other.code}：与 {one.code} 近似"
    yield from give_aways(questions)


def main(paths: Sequence[str]) -> int:
    """Check the given files; print one line a finding and one a file; return 1 where anything was found."""
    found = 0
    for path in map(Path, paths):
        findings = list(check_file(path))
        reading = textformat.read(path.read_bytes(), name=path.name)
        kinds = Counter(item.question.kind.value for item in reading.imported)
        print(f"{path.name}: {len(reading.imported)} 题 {dict(kinds)}，{len(findings)} 处问题")  # noqa: T201 – a command's output
        for finding in findings:
            print(f"  {finding}")  # noqa: T201 – a command's output
        found += len(findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
