"""What an item says of its right answers: declarations, mappings, and how they are scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from question_bank.formats.numbers import number
from question_bank.formats.parsed import ParsedQuestion
from question_bank.formats.xml_location import children, local, text_of
from question_bank.formats.xml_safety import Element

_RANGES = frozenset(
    {
        "gt",
        "gte",
        "lt",
        "lte",
        "equalRounded",
        "inside",
        "patternMatch",
        "customOperator",
        "mathOperator",
        "integerDivide",
    }
)
NUMERIC = frozenset({"integer", "float"})


@dataclass(slots=True)
class Declaration:
    """One response's declaration."""

    cardinality: str = "single"
    base_type: str = "identifier"
    correct: list[str] = field(default_factory=list)
    mapping: dict[str, Decimal] = field(default_factory=dict)
    is_declared: bool = True
    credited: set[str] = field(default_factory=set)
    """Values that the item's own response processing gives points for, where it names them itself."""


@dataclass(slots=True)
class Scoring:
    """All declarations of an item, and what its response processing does with them."""

    declarations: dict[str, Declaration]
    uses_mapping: bool
    loose: frozenset[str]
    """Responses that are judged by a range, a pattern or an operator of its own."""

    def of(self, interaction: Element) -> Declaration:
        """The declaration of an interaction's response; an empty one when the file has none."""
        name = interaction.get("responseIdentifier", "")
        return self.declarations.get(name) or Declaration(is_declared=False)


def read_scoring(item: Element) -> Scoring:
    """The scoring of an item whose names are unified."""
    processing = children(item, "responseProcessing")
    template = "".join(part.get("template", "") for part in processing)
    names = {element.tag for part in processing for element in part.iter() if isinstance(element.tag, str)}
    declarations = {part.get("identifier", ""): _declaration(part) for part in children(item, "responseDeclaration")}
    _note_credited(processing, declarations)
    judged = [
        one for part in processing for one in part.iter(*_RANGES, "equal") if one.tag != "equal" or _is_loose(one)
    ]
    loose = {variable.get("identifier", "") for one in judged for variable in one.iter("variable")}
    uses_mapping = "map_response" in template or "mapResponse" in names
    return Scoring(declarations, uses_mapping, frozenset(loose & declarations.keys()))


def right_choices(declaration: Declaration, scoring: Scoring, draft: ParsedQuestion) -> list[str]:
    """Identifiers of the right options; where the file contradicts itself the draft is doubtful and there are none."""
    correct = list(dict.fromkeys(declaration.correct))
    if correct and declaration.credited and not set(correct) <= declaration.credited:
        draft.doubt_key(
            "key_conflict", "正确答案（correctResponse）和计分规则（responseProcessing）说的不一样。请核对答案。"
        )
        return []
    if not declaration.mapping or not (scoring.uses_mapping or not correct):
        return correct
    positive = {key: value for key, value in declaration.mapping.items() if value > 0}
    _name_mapping_losses(declaration, positive, draft)
    if declaration.cardinality == "single":
        best = max(positive.values(), default=Decimal(0))
        full = [key for key, value in positive.items() if value == best]
        is_same = not correct or (set(correct) <= set(full) and len(full) == 1)
    else:
        full = list(positive)
        is_same = not correct or set(correct) == set(full)
    if not is_same:
        draft.doubt_key("key_conflict", "正确答案（correctResponse）和计分表（mapping）说的不一样。请核对答案。")
        return []
    return correct or full


def accepted_texts(declaration: Declaration, scoring: Scoring, draft: ParsedQuestion) -> tuple[str, ...]:
    """The variants of a written gap that get full credit."""
    correct = [value.strip() for value in declaration.correct if value.strip()]
    if declaration.cardinality == "single" and len(set(correct)) > 1:
        draft.doubt_key("two_keys", "一个空写了不止一个正确答案，分不清哪个算数。请核对答案。")
    if not declaration.mapping or not (scoring.uses_mapping or not correct):
        return tuple(dict.fromkeys(correct))
    positive = {key.strip(): value for key, value in declaration.mapping.items() if value > 0 and key.strip()}
    _name_mapping_losses(declaration, positive, draft)
    best = max(positive.values(), default=Decimal(0))
    full = [key for key, value in positive.items() if value == best]
    if correct and full and not set(correct) & set(full):
        draft.doubt_key("key_conflict", "正确答案（correctResponse）和计分表（mapping）说的不一样。请核对答案。")
    return tuple(dict.fromkeys([*(value for value in correct if value in full or not full), *full]))


def _note_credited(processing: list[Element], declarations: dict[str, Declaration]) -> None:
    """Note for each single response the values of which a branch of the response processing compares it and then gives points."""
    for part in processing:
        for branch in part.iter("responseIf", "responseElseIf"):
            if not any(
                (number(value.text) or 0) > 0
                for outcome in children(branch, "setOutcomeValue")
                for value in outcome.iter("baseValue")
            ):
                continue
            for match in (one for child in branch if local(child) != "setOutcomeValue" for one in child.iter("match")):
                names = [one.get("identifier", "") for one in children(match, "variable")]
                values = [text_of(one).strip() for one in children(match, "baseValue")]
                if len(names) == 1 and names[0] in declarations and _is_plain(match, branch):
                    declarations[names[0]].credited.update(values)
    for declaration in declarations.values():
        if declaration.cardinality != "single":
            declaration.credited.clear()


def _is_plain(match: Element, branch: Element) -> bool:
    """Whether nothing turns the comparison round."""
    above = match.getparent()
    while above is not None and above is not branch:
        if local(above) == "not":
            return False
        above = above.getparent()
    return True


def _name_mapping_losses(declaration: Declaration, positive: dict[str, Decimal], draft: ParsedQuestion) -> None:
    if len(set(positive.values())) > 1:
        draft.lose("partial_credit", "各答案原来的分值不等，导入后按本平台的规则计分。")
    if any(value < 0 for value in declaration.mapping.values()):
        draft.lose("negative_marks", "错选倒扣分没有保留。")


def _declaration(element: Element) -> Declaration:
    declaration = Declaration(element.get("cardinality", "single"), element.get("baseType", "identifier"))
    for part in children(element, "correctResponse"):
        declaration.correct += [text_of(value).strip() for value in children(part, "value")]
    for part in children(element, "mapping"):
        for entry in children(part, "mapEntry"):
            declaration.mapping[entry.get("mapKey", "")] = number(entry.get("mappedValue")) or Decimal(0)
    return declaration


def _is_loose(equal: Element) -> bool:
    if equal.get("toleranceMode", "exact") == "exact":
        return False
    return any(number(part) != 0 for part in equal.get("tolerance", "1").split())
