"""What is fuzzed: a reader each, the rejections that it may give, and a few good beginnings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from examapp.content.law_texts.rules import read_law_text
from examapp.delivery.attempts.rules import EventsRequest, SaveRequest, SubmissionRequest, UnsureMarks
from examapp.delivery.external_results.rules import RESULT_ALIASES, read_results
from examapp.documents.archives import UnreadableFileError
from examapp.documents.tables import read_grids
from examapp.errors import DomainError
from examapp.organisation.roster_imports.rules import HEAD_ALIASES, read_roster
from examapp.oversight.duty_lists.rules import ALIASES as DUTY_ALIASES
from examapp.oversight.duty_lists.rules import read_table
from examapp.web.json_io import decode
from question_bank.formats import registry

REJECTIONS = (UnreadableFileError, DomainError)


@dataclass(frozen=True, slots=True)
class Target:
    """A reader of bytes, and seeds from which the fuzzer begins."""

    name: str
    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...] = ()


def _answers(content: bytes) -> None:
    for shape in (SaveRequest, SubmissionRequest, UnsureMarks, EventsRequest):
        try:
            decode(content, shape)
        except REJECTIONS:
            continue


def _roster(name: str) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        read_roster(read_grids(content, name=name, aliases=HEAD_ALIASES))

    return read


def _results(content: bytes) -> None:
    read_results(read_grids(content, name="成绩.csv", aliases=RESULT_ALIASES), possible=Decimal(100))


def _duties(content: bytes) -> None:
    read_table(read_grids(content, name="清单.csv", aliases=DUTY_ALIASES), year=2026)


def _bank(format_name: str, suffix: str) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        chosen = registry.get_format(format_name)
        chosen.looks_like(content, f"x{suffix}")
        reading = chosen.read(content, name=f"x{suffix}")
        assert reading.found == len(reading.imported) + len(reading.needing_review) + len(reading.rejected)

    return read


def _zip(*entries: tuple[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


AIKEN = "谁决定？\nA. 甲\nB. 乙\nANSWER: B\n".encode()
TABLE = "题型,题干,选项A,选项B,答案\n单选题,谁？,甲,乙,A\n".encode()
XML = b'<?xml version="1.0"?><quiz><question type="multichoice"><questiontext><text>a</text></questiontext><answer fraction="100"><text>b</text></answer></question></quiz>'
ITEM = '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="a" title="b"><responseDeclaration identifier="R"/><itemBody><choiceInteraction responseIdentifier="R"><simpleChoice identifier="A">x</simpleChoice></choiceInteraction></itemBody></assessmentItem>'
SEEDS = (
    AIKEN,
    TABLE,
    XML,
    ITEM.encode(),
    b"::t:: q {=a ~b}",
    b"{1:MC:=a~b}",
    b'[{"question":"a","options":["b"],"answer":"A"}]',
    _zip(("imsmanifest.xml", "<manifest/>"), ("a.xml", ITEM)),
)

TARGETS: tuple[Target, ...] = (
    Target(
        "answers",
        _answers,
        (
            b'{"epoch":1,"changes":[{"item":1,"seq":1,"response":["A"]}]}',
            b'{"epoch":1,"unsure":[1]}',
            b'{"events":[{"n":1,"type":"offline"}]}',
        ),
    ),
    Target(
        "roster_csv", _roster("册.csv"), ("工号,姓名,单位\n1,张三,甲局\n".encode(), "工号;姓名\n1;李四".encode("gbk"))
    ),
    Target(
        "roster_xlsx",
        _roster("册.xlsx"),
        (
            _zip(
                ("xl/workbook.xml", "<workbook/>"),
            ),
        ),
    ),
    Target("external_results", _results, ("姓名,成绩,身份证号\n张三,90.5,\n".encode(),)),
    Target("duty_table", _duties, ("序号,内容清单,责任领导,责任人,措施清单\n1,宪法,甲,乙,讲座\n".encode(),)),
    Target(
        "law_text",
        lambda content: read_law_text(content, "某法.txt"),
        ("某法\n（2020年1月1日通过）\n第一条 甲。\n第二条 乙。\n".encode(),),
    ),
    Target("detect", lambda content: registry.read_file(content, "x.bin"), SEEDS),
    *(Target(f"bank_{each.name}", _bank(each.name, each.suffix), SEEDS) for each in registry.FORMATS),
)
