"""The script of the evidence pack, written apart from the program, finds every grade right that the program gives, and each changed byte."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import zipfile
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.attempts.rules import sheet_digest
from examapp.delivery.grading.rules import GradingRules, Ruling, Treatment, VersionKey, score_paper
from question_bank.kinds import response_schema
from question_bank.kinds.base import ScoringRule
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind
from tests.helpers.evidence import SCRIPT, verify
from tests.helpers.evidence_by_readme import grades_by_readme

RULES = {
    "scoring_rule": "all_or_nothing",
    "pass_percent": "60.00",
    "good_percent": "80.00",
    "excellent_percent": "90.00",
}
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = SIGNER.public_key().public_bytes_raw().hex()


def pack_of(rows, *, signer=SIGNER):
    """Write a pack of rows by the name of their file."""
    files = {
        f"{name}.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found).encode()
        for name, found in rows.items()
        if name != "exam"
    }
    files["exam.json"] = json.dumps(rows["exam"]).encode()
    return zipped(files, signer=signer)


def zipped(files, *, signer=SIGNER, manifest_of=None):
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in (manifest_of or files).items()}
    manifest = json.dumps({"format": 1, "public_key": PUBLIC_KEY, "files": digests}).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in {
            **files,
            "manifest.json": manifest,
            "manifest.sig": signer.sign(manifest).hex().encode(),
        }.items():
            archive.writestr(name, content)
    return made


def files_of(pack):
    with zipfile.ZipFile(pack) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.startswith("manifest")}


@st.composite
def packs(draw):
    """Rows of an exam with all kinds, scoring rules, treatments, marks and annulled attempts."""
    kinds = draw(st.lists(st.sampled_from([kind for kind in Kind if kind is not Kind.CASE]), min_size=1, max_size=6))
    letters, schema, items, keys, rulings, marks = "ABCD", "", [], {}, [], {}
    scoring = draw(st.sampled_from(["", "right_pairs"]))
    for number, kind in enumerate(kinds, 1):
        found, shown = kind_of(kind), "AB" if kind is Kind.TRUE_FALSE else letters
        is_text = not found.has_letter_key
        schema += response_schema.encode(
            found, found.response_spec(option_count=0 if is_text else len(shown), blank_count=2)
        )
        items.append(
            [
                number,
                0,
                "" if is_text else "".join(draw(st.permutations(shown))),
                draw(st.sampled_from(["1", "2.50", "0.25"])),
            ]
        )
        for key_id in (number, 100 + number):
            key = (
                draw(st.permutations(shown))
                if kind is Kind.ORDERING
                else sorted(draw(st.sets(st.sampled_from(shown), min_size=1, max_size=4 if found.is_multiple else 1)))
            )
            keys[key_id] = VersionKey(
                key_id,
                [
                    {
                        "key": [] if is_text else list(key),
                        "blanks": [["三十", "30"], ["法院"]] if found.has_blanks else [],
                        **({"units": draw(st.sampled_from([["日", ""], ["年", "院"]]))} if found.has_blanks else {}),
                    }
                ],
            )
        treatment = draw(st.sampled_from([None, *Treatment]))
        if treatment is not None:
            of = {Treatment.KEY: (100 + number,), Treatment.BEST_OF: (number, 100 + number)}.get(treatment, ())
            of = () if not found.is_machine_graded else of
            if of or treatment in {Treatment.FULL, Treatment.VOID}:
                rulings.append(
                    Ruling(
                        id=10 * number,
                        version_id=number,
                        part=0,
                        treatment=treatment,
                        keys=tuple(keys[key_id] for key_id in of),
                    )
                )
        if not found.is_machine_graded or draw(st.integers(0, 5)) == 0:
            marks[number] = draw(st.decimals("0", "3", places=2))
    rules = (
        RULES
        | {"scoring_rule": str(draw(st.sampled_from(list(ScoringRule))))}
        | draw(st.sampled_from([{}, {}, {"is_annulled": True}]))
    )
    sections = [{"title": "", "instructions": "", "items": items, "scoring": scoring}]
    attempts, history, grades = [], [], []
    for attempt in range(1, draw(st.integers(1, 3)) + 1):
        answers = {}
        for number, kind in enumerate(kinds, 1):
            answers[str(number)] = response_of(draw, kind)
        _, sha256 = sheet_digest(attempt, schema, [(int(item), response) for item, response in answers.items()])
        attempts.append({"attempt": attempt, "paper": 1, "answers": answers, "receipt_sha256": sha256})
        history += [
            {"attempt": attempt, "item": int(item), "epoch": 1, "seq": seq, "response": response}
            for item, final in answers.items()
            for seq, response in ((2, final), (1, []))
        ]
        of_version = {number: keys[number] for number in range(1, len(kinds) + 1)}
        score = score_paper(
            sections,
            schema,
            answers,
            of_version,
            rules=GradingRules.from_json(rules),
            rulings=rulings,
            hand_points=marks,
        )
        grades.append({
            "attempt": attempt, "number": 1, "is_current": True, "points": f"{score.points:.2f}", "points_possible": f"{score.points_possible:.2f}",
            "percent": f"{score.percent:.2f}", "band": str(score.band), "is_passed": score.is_passed, "item_points": [str(points) for points in score.item_points],
            "key_ids": {str(number): number for number in of_version}, "rules": rules, "ruling_ids": [ruling.id for ruling in rulings], "mark_ids": sorted(marks),
        })  # fmt: skip
    return {
        "exam": {"exam": 1, "counts": {"attempts": len(attempts), "graded": len(grades), "passed": sum(grade["is_passed"] for grade in grades)}},
        "papers": [{"paper": 1, "sections": sections, "response_schema": schema}],
        "keys": [{"key": key.id, "parts": key.parts} for key in keys.values()],
        "rulings": [{"ruling": r.id, "version": r.version_id, "part": r.part, "treatment": str(r.treatment), "key_ids": [key.id for key in r.keys]} for r in rulings],
        "marks": [{"mark": number, "item": number, "points": str(points)} for number, points in marks.items()],
        "attempts": attempts, "history": history, "grades": grades,
    }  # fmt: skip


def response_of(draw, kind):
    if kind is Kind.FILL_BLANK:
        return draw(st.sampled_from([["３０ 日", "法院。"], ["30", "法院院"], ["十日", "法院"], ["", ""]]))
    if kind is Kind.SHORT_ANSWER:
        return ["依法行政"]
    if kind is Kind.ORDERING:
        return list(draw(st.permutations("ABCD")))[: draw(st.sampled_from([0, 2, 4]))]
    found = kind_of(kind)
    return sorted(
        draw(
            st.sets(
                st.sampled_from("AB" if kind is Kind.TRUE_FALSE else "ABCD"), max_size=4 if found.is_multiple else 1
            )
        )
    )


def example():
    """A small pack that is always the same."""
    sections = [{"title": "", "instructions": "", "items": [[1, 0, "BA", "2.00"]]}]
    _, sha256 = sheet_digest(7, "T21", [(1, ["A"])])
    grade = {
        "attempt": 7,
        "number": 1,
        "is_current": True,
        "points": "2.00",
        "points_possible": "2.00",
        "percent": "100.00",
        "band": "excellent",
        "is_passed": True,
        "item_points": ["2.00"],
        "key_ids": {"1": 1},
        "rules": RULES,
        "ruling_ids": [],
        "mark_ids": [],
    }
    return {
        "exam": {"exam": 1, "counts": {"attempts": 1, "graded": 1, "passed": 1}}, "papers": [{"paper": 1, "sections": sections, "response_schema": "T21"}],
        "keys": [{"key": 1, "parts": [{"key": ["B"], "blanks": []}]}], "rulings": [], "marks": [],
        "attempts": [{"attempt": 7, "paper": 1, "answers": {"1": ["A"]}, "receipt_sha256": sha256}],
        "history": [{"attempt": 7, "item": 1, "epoch": 1, "seq": 1, "response": ["A"]}], "grades": [grade],
    }  # fmt: skip


@given(packs())
def test_every_grade_of_the_program_is_found_right(rows):
    """By the script in the pack, and by a second program that was written from the README alone."""
    pack = pack_of(rows)
    assert verify.check(pack) == []
    for grade in rows["grades"]:
        made = grades_by_readme(pack)[grade["attempt"], grade["number"]]
        assert made == {name: grade[name] for name in made}


@given(packs(), st.data())
def test_half_a_point_more_is_found_and_named(rows, data):
    """As a scorer would give it that is wrong in one item."""
    grade = data.draw(st.sampled_from(rows["grades"]))
    item = data.draw(st.integers(0, len(grade["item_points"]) - 1))
    grade["item_points"][item] = f"{Decimal(grade['item_points'][item]) + Decimal('0.5'):.2f}"
    grade["points"] = f"{Decimal(grade['points']) + Decimal('0.5'):.2f}"
    (found,) = verify.check(pack_of(rows))
    assert f"作答 {grade['attempt']} 第 1 次评分：" in found and "item_points" in found and "points 记为" in found


@pytest.mark.parametrize("name", ["papers", "keys", "attempts", "history", "grades", "exam"])
def test_a_changed_byte_is_named_by_its_file(name):
    files = files_of(pack_of(example()))
    full = f"{name}.json" if name == "exam" else f"{name}.jsonl"
    changed = files | {full: files[full].replace(b": ", b":  ", 1)}
    assert verify.check(zipped(changed, manifest_of=files)) == [f"{full}：内容与清单的校验值不符"]


def test_a_missing_file_and_one_too_many_are_named():
    files = files_of(pack_of(example()))
    found = verify.check(zipped(files | {"more.jsonl": b""}, manifest_of=files | {"corrections.jsonl": b""}))
    assert found == ["corrections.jsonl：文件缺失", "more.jsonl：清单中没有这个文件"]


def test_a_forged_signature_and_another_key_are_found():
    forged = pack_of(example(), signer=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert "签名不符" in verify.check(forged)[0]
    assert verify.check(pack_of(example()), PUBLIC_KEY) == []
    assert "签名不符" in verify.check(pack_of(example()), "00" * 32)[0]


def change_key(rows):
    rows["keys"][0]["parts"][0]["key"] = ["A"]


def change_answer(rows):
    rows["attempts"][0]["answers"]["1"] = ["B"]


def drop_grade(rows):
    rows["grades"].clear()


@pytest.mark.parametrize(
    ("change", "message"),
    [(change_key, "item_points 记为"), (change_answer, "作答记录不一致"), (drop_grade, "graded 记为 1，实为 0")],
)
def test_what_was_changed_before_it_was_signed_contradicts_the_rest(change, message):
    rows = example()
    change(rows)
    assert message in "\n".join(verify.check(pack_of(rows)))


def test_one_attempt_can_be_checked_and_a_pack_of_another_version_is_not():
    assert verify.check(pack_of(example()), only=7) == []
    assert verify.check(pack_of(example()), only=8) == ["包中没有作答 8"]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("manifest.json", '{"format": 2}')
    with pytest.raises(ValueError, match="不是第 1 版"):
        verify.check(made)


def test_the_script_needs_nothing_but_the_standard_library():
    text = SCRIPT.read_text("utf-8")
    assert "examapp" not in text and "question_bank" not in text
    ast.parse(text, feature_version=(3, 8))
