"""Banks in the shapes that offices send, whole and damaged: each question is read right, or said not to be; none is wrong in silence."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from tests.question_bank import clerks, shapes
from tests.question_bank.shapes import KINDS, SHAPES, TrueQuestion, bare

FILES, ALL_FILES = 500, 20_000


def silent_wrongs(seed: int) -> tuple[list[str], bool]:
    """Return what is wrong in silence in the file of this seed, and whether all of an undamaged one was read right."""
    random_ = random.Random(seed)
    shape = SHAPES[seed % len(SHAPES)]
    kinds = shapes.kinds_of(shape)
    bank = _draw(random_, kinds)
    written, how = shapes.write(bank, shape, random_), ""
    if seed % 3 == 0:
        bank, written, how = shapes.damage(bank, written, random_)
    return _judge(bank, written, f"{seed} {shape.name}{how and f', {how}'}", is_damaged=bool(how))


def silent_wrongs_of_office(office: str, seed: int) -> tuple[list[str], bool]:
    """Return the same of a file as one of the clerks writes it."""
    random_ = random.Random(seed)
    bank = _draw(random_, clerks.KINDS.get(office, shapes.ALL))
    return _judge(bank, clerks.write(bank, office, random_), f"{seed} {office}", is_damaged=False)


def _draw(random_: random.Random, kinds: Sequence[str]) -> list[TrueQuestion]:
    return shapes.draw(random_, of=sorted(random_.sample(kinds, random_.randint(2, len(kinds))), key=kinds.index))


def _judge(bank: list[TrueQuestion], written: shapes.Written, name: str, *, is_damaged: bool) -> tuple[list[str], bool]:
    try:
        result = read_file(written.content, written.name, answers=written.answers)
    except UnreadableFileError:
        return [], is_damaged
    wrong: list[str] = []
    right = 0
    for item in result.imported:
        owners = [one for one in bank if one.place in bare(item.question.stem)]
        said = [note.code for note in item.dropped]
        problem = _problem(item.question, owners)
        right += not problem
        if problem and not said:
            wrong.append(f"{name}: {problem}")
    stems = [item.question.stem for item in result.imported] + [item.question.stem for item in result.needing_review]
    seen = bare("".join(stems))
    reviewed = bare("".join(item.question.stem for item in result.needing_review))
    joined = {
        one.place for above, one in pairwise(bank) if above.place in reviewed
    }  # with the question above, which is on review
    lost = [one.place for one in bank if one.place not in seen and one.place not in joined]
    if lost and not result.rejected and not result.remarks and not result.differs_from_census:
        wrong.append(f"{name}: {lost} vanished")
    return wrong, is_damaged or right == len(bank)


def _problem(question, owners: list[TrueQuestion]) -> str:
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


@pytest.mark.parametrize("part", range(10))
def test_question_of_an_office_s_file_is_right_or_said(part):
    found = [silent_wrongs(seed) for seed in range(part, FILES, 10)]
    assert [one for wrongs, _ in found for one in wrongs] == []
    assert sum(whole for _, whole in found) >= 0.98 * len(found)


@pytest.mark.parametrize("office", clerks.OFFICES)
def test_question_of_a_clerk_s_file_is_right_or_said(office):
    found = [silent_wrongs_of_office(office, seed) for seed in range(20)]
    assert [one for wrongs, _ in found for one in wrongs] == []
    assert all(whole for _, whole in found)


@pytest.mark.long
@pytest.mark.parametrize("office", clerks.OFFICES)
def test_question_of_each_of_1000_files_of_a_clerk_is_right_or_said(office):
    found = [silent_wrongs_of_office(office, seed) for seed in range(20, 1020)]
    assert [one for wrongs, _ in found for one in wrongs] == []
    assert sum(whole for _, whole in found) >= 0.98 * len(found)


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_question_of_each_of_20000_files_is_right_or_said(part):
    assert [one for seed in range(FILES + part, ALL_FILES, 20) for one in silent_wrongs(seed)[0]] == []
