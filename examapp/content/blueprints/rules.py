"""Draw a paper from the bank, and foresee what the drawing of many will be like: pure."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import comb
from typing import Any

from examapp.errors import DomainError
from examapp.points import round_points
from question_bank.kinds import response_schema
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind


class BankTooSmallError(DomainError):
    """The bank does not hold enough questions for the blueprint."""

    code = "bank_too_small"
    message = "题库中符合条件的题目不够，组不成试卷。请补充题目，或减少组卷规则中的题数。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of a blueprint, as the drawing needs it; empty filters mean the whole bank."""

    title: str
    instructions: str = ""
    kind: Kind
    count: int
    points_each: Decimal
    scoring: str = ""
    """A code of the kind's `section_scoring`; empty for its first."""
    part_count: int | None = None
    """How many sub-questions each case has; None for kinds that are one item, and for cases of any number."""
    laws: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    knowledge_points: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    """Hand-picked questions; empty for any."""
    difficulties: Mapping[str, int] = field(default_factory=dict)

    def takes(self, question: PoolQuestion) -> bool:
        """Tell whether a question may stand in this section: its kind and number of sub-questions, and one value of each filter that is set."""
        return (
            question.kind == self.kind
            and self.part_count in {None, len(question.parts)}
            and (not self.laws or question.law in self.laws)
            and (not self.topics or question.topic in self.topics)
            and (not self.codes or question.code in self.codes)
            and (not self.knowledge_points or not self.knowledge_points.isdisjoint(question.knowledge_points))
        )

    @property
    def total_points(self) -> Decimal | None:
        """What the section brings on every paper; None where that depends on which cases are drawn."""
        if not kind_of(self.kind).is_part and self.part_count is None:
            return None
        return self.points_each * self.count * (self.part_count or 1)


def total_points(sections: Iterable[Section]) -> Decimal | None:
    """Give the full marks of every paper drawn from these sections; None where they differ from person to person."""
    totals = [section.total_points for section in sections]
    return None if None in totals else round_points(sum((total for total in totals if total is not None), Decimal(0)))


MOCK_LAWS = frozenset({
    "乡村振兴促进法", "人民调解法", "传染病防治法", "信访工作条例", "公平竞争审查条例", "反恐怖主义法", "反有组织犯罪法", "反电信网络诈骗法",
    "国家情报法", "国家通用语言文字法", "国旗法", "土地管理法", "妇女权益保障法", "审计法", "密码法", "政府督查工作条例", "未成年人保护法",
    "村民委员会组织法", "森林法", "民营经济促进法", "档案法", "法律援助法", "消防法", "生物安全法", "社会救助法", "统计法", "道路交通安全法", "长江保护法",
    "预算法", "食品安全法",
})  # fmt: skip
"""The laws that the mock exam asks, whose keys are shown at once; the exams that count ask all others (decision 0027)."""
_ONE_RIGHT, _SOME_RIGHT = "每题只有一个正确答案。", "每题有两个或两个以上正确答案，多选、少选、错选均不得分。"
_LONG = (
    ("判断题", Kind.TRUE_FALSE, 20, "2", "判断下列说法是否正确。"),
    ("单项选择题", Kind.SINGLE_CHOICE, 30, "1", _ONE_RIGHT),
    ("多项选择题", Kind.MULTIPLE_CHOICE, 15, "2", _SOME_RIGHT),
)
_SHORT = (
    ("单项选择题", Kind.SINGLE_CHOICE, 20, "2", _ONE_RIGHT),
    ("多项选择题", Kind.MULTIPLE_CHOICE, 10, "2", _SOME_RIGHT),
    ("判断题", Kind.TRUE_FALSE, 10, "1", ""),
    ("案例分析题", Kind.CASE, 2, "5", "阅读材料，回答问题。"),
)
SHIPPED_CASE_PARTS = 3
"""Sub-questions of each case in shipped blueprints: most cases of the bank have three, and full marks are a hundred for everybody."""
SHIPPED_BLUEPRINTS = (
    ("年度考试 65 题", _LONG, False),
    ("模拟考试 65 题", _LONG, True),
    ("行政执法资格 42 题", _SHORT, False),
)
"""Name, sections, and whether it is a mock exam's, of the blueprints that the application comes with."""


@dataclass(frozen=True, slots=True)
class PoolPart:
    """One item that a question brings: its kind, and how many options or blanks it has."""

    kind: Kind
    count: int
    response_schema: str = field(init=False, repr=False, compare=False)
    """The characters that stand for it in a paper's response schema."""
    orders: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The orders in which its options may be shown, the stored one first; made once, since thousands of papers choose from them."""
    is_always_shuffled: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what drawing needs again and again."""
        kind = kind_of(self.kind)
        spec = kind.response_spec(option_count=self.count, blank_count=self.count)
        object.__setattr__(self, "response_schema", response_schema.encode(kind, spec))
        object.__setattr__(self, "orders", kind.display_orders(self.count))
        object.__setattr__(self, "is_always_shuffled", kind.is_always_shuffled)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolQuestion:
    """An active question in its current version, without its words."""

    question_id: int
    version_id: int
    kind: Kind
    parts: tuple[PoolPart, ...]
    law: str = ""
    topic: str = ""
    difficulty: str | None = None
    knowledge_points: frozenset[str] = frozenset()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """So many questions of one section out of these candidates: a difficulty's count, or what the difficulties leave open."""

    section: int
    difficulty: str | None
    count: int
    candidates: tuple[PoolQuestion, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """The bank cut to a blueprint once, so that thousands of papers are drawn from it fast; smallest group first."""

    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPaper:
    """A paper as `papers.models.Paper` stores it."""

    sections: list[dict[str, Any]]
    response_schema: str
    total_points: Decimal
    version_ids: tuple[int, ...]


def parts_of(content: Mapping[str, Any]) -> tuple[PoolPart, ...]:
    """Read what items a stored question version brings."""
    return tuple(
        PoolPart(Kind(part["kind"]), len(part["options"]) if part["options"] else int(part["blanks"] or 1))
        for part in content["parts"]
    )


def prepare_pool(sections: Sequence[Section], questions: Iterable[PoolQuestion]) -> Pool:
    """Cut the bank to a blueprint's sections; questions with a part that a person must grade stay out."""
    drawable = [q for q in questions if all(kind_of(part.kind).is_machine_graded for part in q.parts)]
    groups = [group for index, section in enumerate(sections) for group in _groups_of(index, section, drawable)]
    return Pool(tuple(sorted(groups, key=lambda group: len(group.candidates))))


def _groups_of(index: int, section: Section, questions: Sequence[PoolQuestion]) -> list[Group]:
    fitting = tuple(question for question in questions if section.takes(question))
    groups = [
        Group(index, difficulty, count, tuple(q for q in fitting if q.difficulty == difficulty))
        for difficulty, count in section.difficulties.items()
        if count > 0
    ]
    open_count = section.count - sum(group.count for group in groups)
    return [*groups, Group(index, None, open_count, fitting)] if open_count > 0 else groups


def draw(sections: Sequence[Section], pool: Pool, *, seed: int, is_shuffled: bool) -> DrawnPaper:
    """Draw one paper of a prepared pool; no question twice; raises BankTooSmallError.

    Sections keep their order, questions within a section and (where shuffled) options come in an order of this seed, as
    their kind allows.
    """
    rng = random.Random(seed)  # noqa: S311 – a paper must come out the same for its seed; the seed is what is secret
    picked = _pick(pool, rng, len(sections))
    drawn: list[dict[str, Any]] = []
    schema: list[str] = []
    total = Decimal(0)
    for section, questions in zip(sections, picked, strict=True):
        items = _items(questions, str(round_points(section.points_each)), rng, is_shuffled=is_shuffled)
        schema += [part.response_schema for question in questions for part in question.parts]
        total += section.points_each * len(items)
        drawn.append({"title": section.title, "instructions": section.instructions, "items": items})
        if section.scoring:
            drawn[-1]["scoring"] = section.scoring
    version_ids = tuple(question.version_id for questions in picked for question in questions)
    return DrawnPaper(
        sections=drawn, response_schema="".join(schema), total_points=round_points(total), version_ids=version_ids
    )


def _items(questions: Sequence[PoolQuestion], points: str, rng: random.Random, *, is_shuffled: bool) -> list[list[Any]]:
    items = []
    for question in questions:
        for number, part in enumerate(question.parts):
            orders = part.orders
            is_drawn = is_shuffled or part.is_always_shuffled
            order = orders[int(rng.random() * len(orders))] if is_drawn else orders[0]
            items.append([question.version_id, number, order, points])
    return items


def _pick(pool: Pool, rng: random.Random, section_count: int) -> list[list[PoolQuestion]]:
    owner: dict[int, int] = {}
    picks = [_pick_group(index, group, rng, owner) for index, group in enumerate(pool.groups)]
    for index, group in enumerate(pool.groups):
        while len(picks[index]) < group.count:
            if not _take_over(pool.groups, picks, owner, index):
                raise BankTooSmallError
    sections: list[list[PoolQuestion]] = [[] for _ in range(section_count)]
    for group, questions in zip(pool.groups, picks, strict=True):
        is_mixed = bool(sections[group.section])
        sections[group.section] += questions
        if is_mixed:
            rng.shuffle(sections[group.section])
    return sections


def _pick_group(index: int, group: Group, rng: random.Random, owner: dict[int, int]) -> list[PoolQuestion]:
    """Shuffle only as far as needed (Fisher and Yates), passing over what another group already holds."""
    rest = list(group.candidates)
    picked: list[PoolQuestion] = []
    chance = rng.random
    while rest and len(picked) < group.count:
        place = int(chance() * len(rest))
        rest[place], rest[-1] = rest[-1], rest[place]
        question = rest.pop()
        if question.question_id not in owner:
            owner[question.question_id] = index
            picked.append(question)
    return picked


def _take_over(groups: Sequence[Group], picks: list[list[PoolQuestion]], owner: dict[int, int], short: int) -> bool:
    """Find a question for a group that came out short by letting other groups swap theirs: an augmenting path of a bipartite matching."""
    reached: dict[int, tuple[int, PoolQuestion]] = {}
    queue = deque([short])
    while queue:
        index = queue.popleft()
        for question in groups[index].candidates:
            holder = owner.get(question.question_id)
            if holder is None:
                _hand_on(picks, owner, reached, index=index, question=question, short=short)
                return True
            if holder not in reached and holder != short:
                reached[holder] = (index, question)
                queue.append(holder)
    return False


def _hand_on(
    picks: list[list[PoolQuestion]],
    owner: dict[int, int],
    reached: Mapping[int, tuple[int, PoolQuestion]],
    *,
    index: int,
    question: PoolQuestion,
    short: int,
) -> None:
    picks[index].append(question)
    owner[question.question_id] = index
    while index != short:
        taker, taken = reached[index]
        picks[index].remove(taken)
        picks[taker].append(taken)
        owner[taken.question_id] = taker
        index = taker


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionForecast:
    """What one section wants, and what the bank holds for it."""

    section: Section
    candidates: int
    by_difficulty: tuple[tuple[str, int, int], ...]
    """Difficulty, wanted, held."""

    @property
    def missing(self) -> int:
        """How many questions are missing in the section at least."""
        by_difficulty = sum(max(0, wanted - held) for _, wanted, held in self.by_difficulty)
        return max(self.section.count - self.candidates, by_difficulty, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What drawing from a blueprint will be like."""

    sections: tuple[SectionForecast, ...]
    is_drawable: bool
    """False where sections lack questions, or where they compete for the same ones."""
    questions: int
    total_points: Decimal | None
    """Of a sample paper; None where none can be drawn."""
    is_total_fixed: bool
    """False where a section takes cases of any number of sub-questions, so that totals may differ from person to person."""
    shared_on_average: Decimal
    sharing_percent: Decimal
    """How likely two people share more than half their questions, in per cent with four places."""


def forecast(sections: Sequence[Section], pool: Pool) -> Forecast:
    """Foresee the drawing of papers from a prepared pool."""
    chance, average = sharing_chance(_spans(pool.groups))
    try:
        total = draw(sections, pool, seed=0, is_shuffled=False).total_points
    except BankTooSmallError:
        total = None
    by_section = [[group for group in pool.groups if group.section == index] for index in range(len(sections))]
    return Forecast(
        sections=tuple(_section(section, groups) for section, groups in zip(sections, by_section, strict=True)),
        is_drawable=total is not None,
        questions=sum(section.count for section in sections),
        total_points=total,
        is_total_fixed=total_points(sections) is not None,
        shared_on_average=round_points(Decimal(average.numerator) / average.denominator),
        sharing_percent=(Decimal(chance.numerator) * 100 / chance.denominator).quantize(Decimal("0.0001")),
    )


def _section(section: Section, groups: Sequence[Group]) -> SectionForecast:
    return SectionForecast(
        section=section,
        candidates=len({question.question_id for group in groups for question in group.candidates}),
        by_difficulty=tuple(
            (group.difficulty, group.count, len(group.candidates)) for group in groups if group.difficulty is not None
        ),
    )


def _spans(groups: Iterable[Group]) -> list[tuple[int, int]]:
    """Give (held, wanted) per group; what a section's difficulties take is taken off what its open rest is drawn from."""
    groups = list(groups)
    spans = []
    for group in groups:
        taken = sum(g.count for g in groups if g.section == group.section and g.difficulty is not None)
        held = len(group.candidates) - (taken if group.difficulty is None else 0)
        spans.append((max(held, group.count), group.count))
    return spans


def sharing_chance(spans: Iterable[tuple[int, int]]) -> tuple[Fraction, Fraction]:
    """Give the chance that two papers share more than half their questions, and how many they share on average.

    Each span is (questions held, questions drawn). Two independent draws of n out of N share k with probability
    C(n,k)·C(N−n,n−k)/C(N,n), the hypergeometric distribution; spans are taken as independent, exact where they are disjoint.
    """
    weights, whole, drawn = [1], 1, 0
    average = Fraction(0)
    for held, count in spans:
        own = [comb(count, k) * comb(held - count, count - k) for k in range(count + 1)]
        mixed = [0] * (len(weights) + count)
        for i, weight in enumerate(weights):
            for k, other in enumerate(own):
                mixed[i + k] += weight * other
        weights, whole, drawn = mixed, whole * comb(held, count), drawn + count
        average += Fraction(count * count, held)
    return Fraction(sum(weights[drawn // 2 + 1 :]), whole), average
