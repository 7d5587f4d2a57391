"""Judge readings of files of which it is known what they hold: each question is read right, or said not to be, or wrong in silence."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from question_bank.model import ParseResult, Question
from tests.question_bank import clerks, shapes
from tests.question_bank.shapes import KINDS, SHAPES, TrueQuestion, Written, bare

Reader = Callable[[Written], ParseResult]


@dataclass(slots=True)
class FileJudgement:
    """What became of a file's questions."""

    bank: list[TrueQuestion]
    result: ParseResult | None = None
    """None where the file was refused."""
    wrong: list[str] = field(default_factory=list)
    """What is wrong in silence."""
    right: int = 0
    is_whole: bool = False
    """Whether every question of an undamaged file was read right."""


def read(written: Written) -> ParseResult:
    """Read a file in this process."""
    return read_file(written.content, written.name, answers=written.answers)


def judge_shape(seed: int, reader: Reader = read) -> FileJudgement:
    """Judge the file of this seed, each third one damaged."""
    random_ = random.Random(seed)
    shape = SHAPES[seed % len(SHAPES)]
    bank = draw(random_, shapes.kinds_of(shape))
    written, how = shapes.write(bank, shape, random_), ""
    if seed % 3 == 0:
        bank, written, how = shapes.damage(bank, written, random_)
    return judge(bank, written, f"{seed} {shape.name}{how and f', {how}'}", is_damaged=bool(how), reader=reader)


def judge_office(office: str, seed: int, reader: Reader = read) -> FileJudgement:
    """Judge a file as one of the clerks writes it."""
    random_ = random.Random(seed)
    bank = draw(random_, clerks.KINDS.get(office, shapes.ALL))
    return judge(bank, clerks.write(bank, office, random_), f"{seed} {office}", reader=reader)


def draw(random_: random.Random, kinds: Sequence[str]) -> list[TrueQuestion]:
    """Draw a bank of two or more of these kinds."""
    return shapes.draw(random_, of=sorted(random_.sample(kinds, random_.randint(2, len(kinds))), key=kinds.index))


def judge(
    bank: list[TrueQuestion], written: Written, name: str, *, is_damaged: bool = False, reader: Reader = read
) -> FileJudgement:
    """Read a file and compare it with what it truly holds."""
    verdict = FileJudgement(bank, is_whole=is_damaged)
    try:
        result = verdict.result = reader(written)
    except UnreadableFileError:
        return verdict
    for item in result.imported:
        problem = _problem(item.question, [one for one in bank if one.place in bare(item.question.stem)])
        verdict.right += not problem
        if problem and not item.dropped:
            verdict.wrong.append(f"{name}: {problem}")
    questions = [item.question for item in result.imported] + [item.question for item in result.needing_review]
    seen = bare("".join(question.stem for question in questions))
    reviewed = bare("".join(item.question.stem for item in result.needing_review))
    # With the question above, which is on review.
    joined = {one.place for above, one in pairwise(bank) if above.place in reviewed}
    lost = [one.place for one in bank if one.place not in seen and one.place not in joined]
    if lost and not result.rejected and not result.remarks and not result.differs_from_census:
        verdict.wrong.append(f"{name}: {lost} vanished")
    verdict.is_whole = is_damaged or verdict.right == len(bank)
    return verdict


def _problem(question: Question, owners: list[TrueQuestion]) -> str:
    if len(owners) != 1:
        return f"{len(owners)} questions in one: {question.stem!r}"
    true = owners[0]
    if true.key is None:
        return f"a key out of nowhere: {question.stem!r} {question.key}"
    key = "".join(question.key) if question.kind != "short_answer" else bare(question.key[0])
    read = (
        KINDS[question.kind],
        clerks.without_material(bare(question.stem)),
        [bare(one) for one in question.options] if true.options else [],
        key,
        tuple(tuple(map(bare, blank)) for blank in question.blanks),
    )
    if bare(question.explanation) not in {"", bare(shapes.EXPLANATION)}:
        return f"explained by {question.explanation!r}"
    wanted_key = bare(true.key) if true.kind == "short" else true.key
    wanted = (
        true.kind,
        bare(true.stem),
        [bare(one) for one in true.options],
        wanted_key,
        tuple((one,) for one in true.blanks),
    )
    return "" if read == wanted else f"{read} for {wanted}"
