"""Read QTI's interactions and their declared responses as options and keys."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from examapp.documents.decoding import read_count
from examapp.documents.safe_xml import Element, children, local, text_of
from question_bank.formats.parsed import Gap, ParsedQuestion, as_texts, number
from question_bank.formats.qti_body import QtiRenderer
from question_bank.model import Kind

_RANGES = (
    "gt", "gte", "lt", "lte", "equalRounded", "inside", "patternMatch", "customOperator", "mathOperator", "integerDivide",
)  # fmt: skip
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
        """Return the declaration of an interaction's response; an empty one when the file has none."""
        name = interaction.get("responseIdentifier", "")
        return self.declarations.get(name) or Declaration(is_declared=False)


def read_scoring(item: Element) -> Scoring:
    """Return the scoring of an item whose names are unified."""
    processing = children(item, "responseProcessing")
    template = "".join(part.get("template", "") for part in processing)
    names = {element.tag for part in processing for element in part.iter() if isinstance(element.tag, str)}
    declarations = {part.get("identifier", ""): _declaration(part) for part in children(item, "responseDeclaration")}
    _note_credited(processing, declarations)
    tests = (one for part in processing for one in part.iter(*_RANGES, "equal"))
    judged = [one for one in tests if one.tag != "equal" or _is_loose(one)]
    loose = {variable.get("identifier", "") for one in judged for variable in one.iter("variable")}
    uses_mapping = "map_response" in template or "mapResponse" in names
    return Scoring(declarations, uses_mapping, frozenset(loose & declarations.keys()))


def right_choices(declaration: Declaration, scoring: Scoring, parsed: ParsedQuestion) -> list[str]:
    """Return identifiers of the right options; none, and require a review, where the file contradicts itself."""
    correct = list(dict.fromkeys(declaration.correct))
    if correct and declaration.credited and not set(correct) <= declaration.credited:
        reason = "正确答案（correctResponse）和计分规则（responseProcessing）说的不一样。请核对答案。"
        parsed.require_review("key_conflict", reason)
        return []
    if not declaration.mapping or not (scoring.uses_mapping or not correct):
        return correct
    positive = {key: value for key, value in declaration.mapping.items() if value > 0}
    _list_dropped_mapping(declaration, positive, parsed)
    is_single = declaration.cardinality == "single"
    full = _best(positive) if is_single else list(positive)
    if correct and (set(correct) != set(full) or (is_single and len(full) != 1)):
        parsed.require_review("key_conflict", "正确答案（correctResponse）和计分表（mapping）说的不一样。请核对答案。")
        return []
    return correct or full


def _best(values: dict[str, Decimal]) -> list[str]:
    return [key for key, value in values.items() if value == max(values.values())]


def accepted_texts(declaration: Declaration, scoring: Scoring, parsed: ParsedQuestion) -> tuple[str, ...]:
    """Return the variants of a written gap that get full credit."""
    correct = [value.strip() for value in declaration.correct if value.strip()]
    if declaration.cardinality == "single" and len(set(correct)) > 1:
        parsed.require_review("two_keys", "一个空写了不止一个正确答案，分不清哪个算数。请核对答案。")
    if not declaration.mapping or not (scoring.uses_mapping or not correct):
        return tuple(dict.fromkeys(correct))
    positive = {key.strip(): value for key, value in declaration.mapping.items() if value > 0 and key.strip()}
    _list_dropped_mapping(declaration, positive, parsed)
    full = _best(positive)
    if correct and full and not set(correct) & set(full):
        parsed.require_review("key_conflict", "正确答案（correctResponse）和计分表（mapping）说的不一样。请核对答案。")
    return tuple(dict.fromkeys([*(value for value in correct if value in full or not full), *full]))


def _note_credited(processing: list[Element], declarations: dict[str, Declaration]) -> None:
    """Note for each single response the values for which a branch of the response processing gives points."""
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
                is_negated = any(local(one) == "not" for one in match.iterancestors() if branch in one.iterancestors())
                if len(names) == 1 and names[0] in declarations and not is_negated:
                    declarations[names[0]].credited.update(values)
    for declaration in declarations.values():
        if declaration.cardinality != "single":
            declaration.credited.clear()


def _list_dropped_mapping(declaration: Declaration, positive: dict[str, Decimal], parsed: ParsedQuestion) -> None:
    if len(set(positive.values())) > 1:
        parsed.add_dropped("partial_credit", "各答案原来的分值不等，导入后按本平台的规则计分。")
    if any(value < 0 for value in declaration.mapping.values()):
        parsed.add_dropped("negative_marks", "错选倒扣分没有保留。")


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


INLINE = frozenset({"textEntryInteraction", "inlineChoiceInteraction"})
IGNORED = frozenset({"endAttemptInteraction"})
UNSUPPORTED = {
    "matchInteraction": "连线题（匹配题）",
    "associateInteraction": "关联题",
    "gapMatchInteraction": "拖放填空题",
    "graphicGapMatchInteraction": "图上拖放题",
    "hotspotInteraction": "热区题（图上点选）",
    "hottextInteraction": "文中点选题",
    "graphicOrderInteraction": "图上排序题",
    "graphicAssociateInteraction": "图上连线题",
    "selectPointInteraction": "图上定点题",
    "positionObjectInteraction": "图上摆放题",
    "sliderInteraction": "滑块题",
    "drawingInteraction": "画图题",
    "uploadInteraction": "上传文件题",
    "mediaInteraction": "音视频播放题",
    "customInteraction": "自定义互动题",
    "portableCustomInteraction": "自定义互动题",
}

Fill = Callable[[Element, Scoring, QtiRenderer, ParsedQuestion], None]


def is_number_range(interaction: Element, scoring: Scoring) -> bool:
    """Return whether a gap wants a number within a range."""
    is_number = scoring.of(interaction).base_type in NUMERIC and local(interaction) == "textEntryInteraction"
    return is_number and interaction.get("responseIdentifier") in scoring.loose


def fill_choice(interaction: Element, scoring: Scoring, renderer: QtiRenderer, parsed: ParsedQuestion) -> None:
    """Fill a choice question: single or multiple by its response's cardinality."""
    declaration = scoring.of(interaction)
    choices = list(interaction.iter("simpleChoice"))
    parsed.options = [renderer.rich(choice) for choice in choices]
    parsed.kind = Kind.SINGLE_CHOICE if declaration.cardinality == "single" else Kind.MULTIPLE_CHOICE
    if not declaration.is_declared:
        parsed.kind = Kind.SINGLE_CHOICE if interaction.get("maxChoices", "1") == "1" else Kind.MULTIPLE_CHOICE
        parsed.require_review("no_key", "题目没有声明作答结果，也就没有答案。请补上答案。")
    parsed.choose(right_choices(declaration, scoring, parsed), identifiers(choices))
    limit = read_count(interaction.get("maxChoices"))
    if 0 < limit < len(parsed.right):
        reason = f"只许选 {limit} 项，却有 {len(parsed.right)} 个正确答案。请核对题型和答案。"
        parsed.require_review("two_keys", reason)
        parsed.right = []


def fill_order(interaction: Element, scoring: Scoring, renderer: QtiRenderer, parsed: ParsedQuestion) -> None:
    """Fill an ordering question: the correct response holds all choices in the right order."""
    declaration = scoring.of(interaction)
    choices = list(interaction.iter("simpleChoice"))
    parsed.kind = Kind.ORDERING
    parsed.options = [renderer.rich(choice) for choice in choices]
    parsed.choose(declaration.correct, identifiers(choices))
    if interaction.get("maxChoices", "0") not in {"0", str(len(choices))}:
        parsed.require_review("incomplete_order", "原题只要求排出一部分选项，本平台要排全部选项。请核对答案。")
        parsed.right = []


def fill_text(interaction: Element, scoring: Scoring, renderer: QtiRenderer, parsed: ParsedQuestion) -> None:
    """Fill a short answer: the correct response is the model answer."""
    parsed.kind = Kind.SHORT_ANSWER
    parsed.answer = "\n".join(value for value in scoring.of(interaction).correct if value)


def gap_of(interaction: Element, scoring: Scoring, renderer: QtiRenderer, parsed: ParsedQuestion) -> Gap:
    """Return a gap within the text, written or chosen."""
    declaration = scoring.of(interaction)
    if local(interaction) == "inlineChoiceInteraction":
        choices = children(interaction, "inlineChoice")
        gap = Gap(is_choice=True, options=[renderer.rich(choice) for choice in choices])
        parsed.choose(right_choices(declaration, scoring, parsed), identifiers(choices))
        gap.right, parsed.right = parsed.right, []
        return gap
    gap = Gap(variants=accepted_texts(declaration, scoring, parsed))
    length = read_count(interaction.get("expectedLength"))
    if 2 <= length <= 12:
        gap.length = length
    if not gap.variants:
        gap.review = ("no_key", "有空没有写明答案。请补上答案。")
    elif interaction.get("responseIdentifier") in scoring.loose:
        gap.review = ("loose_scoring", "原题不是按文字比对答案，写明的答案可能只是其中一个。请核对并补全答案。")
    elif declaration.base_type in NUMERIC:
        gap.variants = as_texts(gap.variants)
        parsed.add_dropped("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    return gap


def identifiers(choices: list[Element]) -> list[str]:
    """Return the identifiers of choices."""
    return [choice.get("identifier", "") for choice in choices]


SUPPORTED: dict[str, Fill] = {
    "choiceInteraction": fill_choice,
    "orderInteraction": fill_order,
    "extendedTextInteraction": fill_text,
}
