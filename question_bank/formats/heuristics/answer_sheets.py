"""Give questions the keys that stand in a sheet of their own: numbers and answers, no stems."""

from collections import Counter
from collections.abc import Sequence

from examapp.documents.number_formats import cell_text
from question_bank.formats.heuristics.table_headers import HEADER_ROWS
from question_bank.formats.heuristics.table_names import Field, field_known
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import Note


def answers_of(rows: Sequence[Sequence[object]]) -> dict[str, str]:
    """Return answers by their question's number out of a table of both; empty where it holds anything else, or a number twice."""
    texts = [[cell_text(value) for value in row] for row in rows]
    for at, row in enumerate(texts[:HEADER_ROWS]):
        fields = [named[0] if (named := field_known(cell)) else None for cell in row]
        codes, answers = (
            [index for index, one in enumerate(fields) if one is wanted] for wanted in (Field.CODE, Field.ANSWER)
        )
        if not codes or len(codes) != len(answers) or Field.STEM in fields:
            continue
        pairs = [
            (line[code], line[answer])
            for line in texts[at + 1 :]
            for code, answer in zip(codes, answers, strict=True)
            if max(code, answer) < len(line) and line[code] and line[answer]
        ]
        return dict(pairs) if len(dict(pairs)) == len(pairs) else {}
    return {}


def give_answers(questions: Sequence[ParsedQuestion], answers: dict[str, str], place: str) -> Note:
    """Give each question without an answer that of its number, where all numbers are there and none twice; return what was done."""
    missing = [one for one in questions if not one.answer and not any(one.blank_answers) and not one.parts]
    counts = Counter(one.code or "" for one in missing)
    if not missing or len(counts) != len(missing) or counts.keys() != answers.keys():
        return Note(
            place, "这张工作表像是答案，但序号和题目对不上，没有使用。请把答案填到题目那一行。", "sheet_not_kept"
        )
    for parsed in missing:
        parsed.answer = answers[parsed.code or ""]
    return Note(place, f"{len(missing)} 道题的答案取自这张工作表，按序号对上。请抽查几题。", "answers")
