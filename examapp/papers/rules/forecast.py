"""Foresee, before an exam, what the bank lacks for a blueprint and how much two papers will have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import comb

from examapp.core.points import round_points
from examapp.papers.rules.drawing import BankTooSmallError, Group, Pool, Section, draw


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionForecast:
    """What one section wants, and what the bank holds for it."""

    section: Section
    candidates: int
    by_difficulty: tuple[tuple[str, int, int], ...]
    """Difficulty, wanted, held."""

    @property
    def lacking(self) -> int:
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
    """False where cases have different numbers of sub-questions, so that totals differ from person to person."""
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
        is_total_fixed=all(
            len({len(q.parts) for group in groups for q in group.candidates}) <= 1 for groups in by_section
        ),
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
