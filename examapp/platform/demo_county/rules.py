"""A fictitious county, made up the same every time: its units, its 8,000 officials, and how they do in exams. Nobody in it exists."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from examapp.content.blueprints.rules import DrawnPaper
from examapp.db.bulk import copied
from examapp.delivery.attempts import rules as attempt_rules
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.rules import GradingRules, VersionKey, score_stored, shown_key, total_up
from examapp.organisation.units.models import UnitKind
from question_bank.kinds import response_schema
from question_bank.kinds.base import ItemKey, QuestionKind
from question_bank.model import OPTION_LETTERS

PEOPLE = 8000
SEED = 20260815
COUNTY = "云溪县"
COUNTY_CODE = "439901"
HELP_LINE = "0799-0000148（演示号码，工作日 8:30–17:30）"
"""No local number begins with a nought, so that nobody is rung by mistake."""

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
_RARE_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "𠮷", "尉迟")
_GIVEN_FIRST = (
    "建志文明国海永春晓小立德光红玉秀丽俊佳子雨梓思欣婷雪敏静芳燕丹华林荣成庆新祥瑞宏伟世家鹏飞宇浩天泽嘉一宁安"
)
_GIVEN_SECOND = (
    "军平强波涛磊刚勇峰辉杰斌超亮龙云霞兰英梅珍琴萍蓉莉娟慧颖倩怡涵琪轩然博豪阳凯林生华明东清源松柏山川江河湖"
)

_TOWNSHIPS = (
    "长岭镇", "东阳镇", "溪口镇", "红石镇", "唐坪镇", "金田镇", "瓦窑镇", "黄沙镇", "东岭乡", "鹅塘乡", "寨前乡", "乐平乡", "关山乡",
    "长铺乡", "麻园乡", "河湾乡", "水源乡",
)  # fmt: skip

_DEPARTMENTS: dict[str, tuple[str, ...]] = {
    "党群系统": (
        "县纪委监委机关", "县委办公室", "县委组织部", "县委宣传部", "县委统战部", "县委社会工作部", "县委巡察机构", "县委编办", "县直机关工委",
        "县委党校", "县档案馆", "县委党史研究室", "县总工会", "共青团县委", "县妇联", "县科协", "县文联", "县工商联", "县残联", "县红十字会",
        "县关工委办公室", "县融媒体中心",
    ),
    "政法系统": ("县委政法委", "县公安局", "县司法局", "县人民法院", "县人民检察院", "县信访局", "县交警大队", "县森林公安分局", "县看守所"),
    "人大政府政协": ("县人大机关", "县政府办公室", "县政协机关", "县机关事务服务中心", "县行政审批服务局", "县公共资源交易中心", "县政府投资评审中心"),
    "经济发展系统": (
        "县发展和改革局", "县科技和工业信息化局", "县财政局", "县审计局", "县统计局", "县商务局", "县税务局", "县供销社", "县产业园区管委会",
        "县粮食和物资储备中心", "县招商服务中心", "县烟草专卖局", "县国有资产事务中心", "县金融服务中心", "县邮政管理服务中心", "县电力发展中心",
    ),
    "农林水系统": (
        "县农业农村局", "县林业局", "县水利局", "县乡村振兴服务中心", "县畜牧水产事务中心", "县农业机械事务中心", "县库区移民事务中心",
        "县国有林场", "县自然保护地管理所", "县气象局",
    ),
    "城建交通系统": (
        "县住房和城乡建设局", "县自然资源局", "县交通运输局", "县城市管理和综合执法局", "县公路建设养护中心", "县住房保障服务中心",
        "县不动产登记中心", "县征地拆迁事务所", "县生态环境分局", "县园林绿化中心", "县公积金管理部",
    ),
    "教育卫生系统": (
        "县教育局", "县卫生健康局", "县人民医院", "县中医医院", "县妇幼保健院", "县疾病预防控制中心", "县第一中学", "县职业中专", "县医疗保障局",
        "县教师发展中心", "县卫生监督所",
    ),
    "社会事业系统": (
        "县民政局", "县人力资源和社会保障局", "县文化旅游广电体育局", "县退役军人事务局", "县应急管理局", "县市场监督管理局", "县民族宗教事务局",
        "县消防救援大队", "县就业服务中心", "县社会保险服务中心", "县图书馆", "县文化馆", "县博物馆", "县体育事业发展中心",
    ),
}  # fmt: skip
SUPERVISED = {
    "县卫生健康局": ("县人民医院", "县中医医院", "县妇幼保健院", "县疾病预防控制中心", "县卫生监督所"),
    "县教育局": ("县第一中学", "县职业中专", "县教师发展中心"),
    "县文化旅游广电体育局": ("县图书馆", "县文化馆", "县博物馆", "县体育事业发展中心"),
}
"""Bureaus with the units of their systems, which stand on their own in the region tree."""
_SUB_UNITS = ("机关", "综合执法大队", "服务中心", "直属事务所")
_SPLIT = frozenset(
    {
        "县公安局",
        "县教育局",
        "县卫生健康局",
        "县农业农村局",
        "县市场监督管理局",
        "县自然资源局",
        "县交通运输局",
        "县税务局",
        "县城市管理和综合执法局",
    }
)
_RANKS = (
    ("县处级副职", 0.012), ("一级主任科员", 0.05), ("二级主任科员", 0.07), ("三级主任科员", 0.1), ("四级主任科员", 0.16), ("一级科员", 0.3),
    ("二级科员", 0.12), ("专业技术岗", 0.188),
)  # fmt: skip
_POSITIONS = {
    "县处级副职": ("局长", "主任", "书记"),
    "一级主任科员": ("副局长", "副主任"),
    "二级主任科员": ("股长", "副主任"),
    "三级主任科员": ("股长", "副股长"),
}


@dataclass(slots=True, kw_only=True)
class UnitPlan:
    """A unit to make; `weight` is its share of the officials, `zeal` how many of a hundred sit an exam."""

    name: str
    code: str
    kind: UnitKind
    parent: int | None = None
    sector_parent: int | None = None
    weight: float = 0.0
    zeal: float = 0.96
    level: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPlan:
    """An official to make; `ability` shifts the chance of a right answer."""

    staff_number: str
    name: str
    unit: int
    rank: str
    position: str
    ability: float
    zeal: float


@dataclass(slots=True)
class CountyPlan:
    """The whole county."""

    units: list[UnitPlan] = field(default_factory=list)
    people: list[PersonPlan] = field(default_factory=list)


def plan_county() -> CountyPlan:
    """Make up the county; the same every time."""
    rng = random.Random(SEED)  # noqa: S311 – a demo must come out the same
    plan = CountyPlan([UnitPlan(name=COUNTY, code=COUNTY_CODE, kind=UnitKind.COUNTY)])
    sectors = {
        name: _add(plan, UnitPlan(name=name, code=f"S{n:02d}", kind=UnitKind.SECTOR))
        for n, name in enumerate(_DEPARTMENTS, 1)
    }
    number = 0
    above: dict[str, int] = {}
    for sector, names in _DEPARTMENTS.items():
        for name in names:
            number += 1
            supervisor = above.pop(name, sectors[sector])
            index = _add_department(plan, rng, name=name, code=f"{COUNTY_CODE}{number:03d}", sector=supervisor)
            above |= dict.fromkeys(SUPERVISED.get(name, ()), index)
    for number, name in enumerate(_TOWNSHIPS, 101):
        weight, zeal = rng.uniform(1.4, 2.6), rng.uniform(0.88, 0.99)
        _add(
            plan,
            UnitPlan(
                name=name,
                code=f"{COUNTY_CODE}{number}",
                kind=UnitKind.TOWNSHIP,
                parent=0,
                weight=weight,
                zeal=zeal,
                level=rng.gauss(-0.1, 0.15),
            ),
        )
    _add_people(plan, rng)
    return plan


def _add(plan: CountyPlan, unit: UnitPlan) -> int:
    plan.units.append(unit)
    return len(plan.units) - 1


def _add_department(plan: CountyPlan, rng: random.Random, *, name: str, code: str, sector: int) -> int:
    """Add a department with its sub-units; gives its place. `sector` is the place of its system, or of the bureau above it."""
    zeal, level = min(0.995, rng.gauss(0.962, 0.025)), rng.gauss(0.05, 0.2)
    weight = rng.lognormvariate(-0.5, 0.6)
    is_split = name in _SPLIT
    department = UnitPlan(
        name=name,
        code=code,
        kind=UnitKind.DEPARTMENT,
        parent=0,
        sector_parent=sector,
        weight=0.3 if is_split else weight,
        zeal=zeal,
        level=level,
    )
    index = _add(plan, department)
    if is_split:
        for number, suffix in enumerate(_SUB_UNITS, 1):
            share = rng.uniform(0.6, 1.6)
            sub_unit = UnitPlan(
                name=f"{name}{suffix}",
                code=f"{code}{number:02d}",
                kind=UnitKind.SUB_UNIT,
                parent=index,
                sector_parent=index,
                weight=share,
            )
            sub_unit.zeal, sub_unit.level = zeal, level
            _add(plan, sub_unit)
    return index


def _add_people(plan: CountyPlan, rng: random.Random) -> None:
    weights = [unit.weight for unit in plan.units]
    places = [index for index, unit in enumerate(plan.units) if unit.weight > 0]
    homes = places * 3 + rng.choices(range(len(plan.units)), weights, k=PEOPLE - 3 * len(places))
    homes.sort()
    ranks, shares = zip(*_RANKS, strict=True)
    for number, unit in enumerate(homes, 1):
        rank = rng.choices(ranks, shares)[0]
        home = plan.units[unit]
        plan.people.append(
            PersonPlan(
                staff_number=f"YX{number:05d}", name=_name(rng), unit=unit, rank=rank, position=rng.choice(_POSITIONS.get(rank, ("科员",))),
                ability=rng.gauss(1.15 + home.level, 0.8), zeal=home.zeal,
            )
        )  # fmt: skip


def _name(rng: random.Random) -> str:
    surname = rng.choice(_RARE_SURNAMES) if rng.random() < 0.01 else rng.choice(_SURNAMES)
    second = "" if rng.random() < 0.12 else rng.choice(_GIVEN_SECOND)
    return surname + rng.choice(_GIVEN_FIRST) + second


_HARDNESS = {"easy": 0.6, "medium": 0.0, "hard": -0.8}


def chance_right(ability: float, difficulty: str | None, option_count: int) -> float:
    """Give the chance that a person knows an item (a logistic curve over a floor for guessing)."""
    floor = 1 / option_count if option_count else 0.05
    known = 1 / (1 + math.exp(-(ability + _HARDNESS.get(difficulty or "medium", 0.0))))
    return floor + (1 - floor) * known


def attempt_duration(
    rng: random.Random, *, opens_at: datetime, until: datetime, duration_s: int
) -> tuple[datetime, datetime]:
    """Choose when somebody sat: in working hours mostly, more at the beginning and the end of the window. Gives start and hand-in."""
    days = max(1, (until - opens_at).days)
    share = rng.betavariate(0.8, 0.75)
    start = opens_at + timedelta(days=int(share * (days + 1)))
    hour = min(22.5, max(7.5, rng.choice((rng.gauss(10, 1), rng.gauss(15.5, 1.2), rng.gauss(20.5, 0.9)))))
    # The county's midnight is 16:00 of the day before in UTC.
    start = (
        start.replace(hour=16, minute=0, second=0, microsecond=0)
        - timedelta(days=1)
        + timedelta(hours=hour, seconds=rng.randrange(3600))
    )
    length = timedelta(seconds=min(duration_s - 5, int(rng.lognormvariate(7.6, 0.35))))
    start = min(max(start, opens_at), until - length - timedelta(minutes=1))
    return start, start + length


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """An account to print: its role, how to sign in, who it is."""

    role: str
    login_name: str
    name: str
    unit: str
    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCounty:
    """What was made: ids in the order of the plan."""

    plan: CountyPlan
    unit_ids: list[int]
    person_ids: list[int]
    accounts: list[DemoAccount]
    office_id: int


@dataclass(slots=True)
class Attempts:
    """How the attempts of one exam are made up; they end before `until`."""

    exam: Exam
    until: datetime
    keys: dict[int, VersionKey]
    difficulties: dict[int, str | None]
    rules: GradingRules
    rng: random.Random
    item_keys: dict[tuple[Any, ...], ItemKey] = field(default_factory=dict)
    """Keys in stored letters that were worked out before: the same question comes again and again."""
    scores: dict[tuple[Any, ...], tuple[Decimal, bytes]] = field(default_factory=dict)
    """Points and packed form of a response to an item, likewise."""
    attempts: list[str] = field(default_factory=list)
    grades: list[str] = field(default_factory=list)
    sheets: list[dict[str, Any]] = field(default_factory=list)
    """Whose responses were saved from when on, one after another in equal pauses; the database makes answers and history of them."""

    def take_exam(
        self, person: PersonPlan, paper: DrawnPaper, *, attempt_id: int, person_id: int, unit_id: int, paper_id: int
    ) -> None:
        """Let a person answer a paper by ability, hand it in, and be graded."""
        exam = self.exam
        responses, item_points, sheet = self._respond(person, paper)
        score = total_up(item_points, paper.total_points, self.rules, sheet=sheet)
        started_at, submitted_at = attempt_duration(
            self.rng, opens_at=exam.opens_at, until=self.until, duration_s=exam.duration_s
        )
        answered, sha256 = attempt_rules.sheet_digest(attempt_id, paper.response_schema, enumerate(responses, 1))
        receipt = attempt_rules.receipt_number(attempt_id, sha256)
        deadline_at = min(started_at + timedelta(seconds=exam.duration_s), exam.closes_at)
        closes_at = deadline_at + timedelta(seconds=exam.grace_s)
        self.attempts.append(
            f"{attempt_id}\t{exam.id}\t{person_id}\t1\t{paper_id}\t{unit_id}\tgraded\t{started_at}\t{deadline_at}\t{closes_at}\t1"
            f"\t{paper.response_schema}\t{{}}\t{submitted_at}\tf\t{receipt}\t{sha256}\t{answered}\t{len(responses)}\t1\n"
        )
        key_ids = {str(version_id): self.keys[version_id].id for version_id in paper.version_ids}
        self.grades.append(
            f"{attempt_id}\t1\tt\t{score.points}\t{score.points_possible}\t{score.percent}\t{score.band}\t{score.is_passed}"
            f"\t{copied(score.item_points)}\t{copied(key_ids)}\t{copied(self.rules)}\t\\\\x{score.sheet.hex()}\tfirst\t{submitted_at + timedelta(seconds=2)}\n"
        )
        pause_s = (submitted_at - started_at).total_seconds() / (len(responses) + 1)
        self.sheets.append({"attempt_id": attempt_id, "person_id": person_id, "responses": responses, "started_at": started_at, "pause_s": pause_s})  # fmt: skip

    def _respond(self, person: PersonPlan, paper: DrawnPaper) -> tuple[list[list[str]], tuple[Decimal, ...], bytes]:
        """Give the responses in the letters that the person saw, the points of each, and all of them packed."""
        schema, width = paper.response_schema, response_schema.WIDTH
        items = ((item, section.get("scoring", "")) for section in paper.sections for item in section["items"])
        responses: list[list[str]] = []
        item_points: list[Decimal] = []
        sheet = bytearray()
        for number, ((item, scoring), kind) in enumerate(zip(items, response_schema.kinds_in(schema), strict=True)):
            version_id, part, order, points = item
            asked = (version_id, part, points, scoring)
            if asked not in self.item_keys:
                letters = OPTION_LETTERS[: len(order)]
                shown = shown_key(self.keys[version_id], part, kind, order=letters, points=points, scoring=scoring)
                self.item_keys[asked] = shown
            chance = partial(chance_right, person.ability, self.difficulties.get(version_id))
            stored = tuple(kind.simulate(self.item_keys[asked], rng=self.rng, chance=chance))
            if (asked, stored) not in self.scores:
                of_item = schema[width * number : width * (number + 1)]
                alone = {"items": [item], "scoring": scoring}
                score = score_stored([alone], of_item, [stored], self.keys, rules=self.rules)
                self.scores[asked, stored] = score.item_points[0], score.sheet
            brought, packed = self.scores[asked, stored]
            responses.append(_shown(kind, stored, order))
            item_points.append(brought)
            sheet += packed
        return responses, tuple(item_points), bytes(sheet)


@lru_cache(maxsize=10_000)
def _shown(kind: QuestionKind, stored: tuple[str, ...], order: str) -> list[str]:
    """Give a response in the letters that the person saw; the list is shared, nobody changes it."""
    return list(kind.display_key(stored, order))
