"""The interactions that we sit, and the names of those that we do not."""

from __future__ import annotations

from collections.abc import Callable

from question_bank.formats.gaps import Gap
from question_bank.formats.numbers import as_texts
from question_bank.formats.parsed import ParsedQuestion
from question_bank.formats.qti.body import Renderer
from question_bank.formats.qti.responses import NUMERIC, Scoring, accepted_texts, right_choices
from question_bank.formats.xml_location import children, local
from question_bank.formats.xml_safety import Element
from question_bank.model import Kind

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

Fill = Callable[[Element, Scoring, Renderer, ParsedQuestion], None]


def unsupported_names(interactions: list[Element]) -> list[str]:
    """Chinese names of the interactions that we do not sit, each once."""
    known = {*SUPPORTED, *INLINE, *IGNORED}
    names = [local(one) for one in interactions if local(one) not in known]
    return list(dict.fromkeys(UNSUPPORTED.get(name, name) for name in names))


def is_number_range(interaction: Element, scoring: Scoring) -> bool:
    """Whether a gap wants a number within a range."""
    is_number = scoring.of(interaction).base_type in NUMERIC and local(interaction) == "textEntryInteraction"
    return is_number and interaction.get("responseIdentifier") in scoring.loose


def fill_choice(interaction: Element, scoring: Scoring, renderer: Renderer, draft: ParsedQuestion) -> None:
    """A choice interaction: single or multiple by its response's cardinality."""
    declaration = scoring.of(interaction)
    choices = list(interaction.iter("simpleChoice"))
    draft.options = [renderer.rich(choice) for choice in choices]
    draft.kind = Kind.SINGLE_CHOICE if declaration.cardinality == "single" else Kind.MULTIPLE_CHOICE
    if not declaration.is_declared:
        draft.kind = Kind.SINGLE_CHOICE if interaction.get("maxChoices", "1") == "1" else Kind.MULTIPLE_CHOICE
        draft.doubt_key("no_key", "题目没有声明作答结果，也就没有答案。请补上答案。")
    right = right_choices(declaration, scoring, draft)
    draft.right = _places(right, [choice.get("identifier", "") for choice in choices], draft)
    most = interaction.get("maxChoices", "0")
    if most.isdecimal() and 0 < int(most) < len(draft.right):
        reason = f"只许选 {most} 项，却有 {len(draft.right)} 个正确答案。请核对题型和答案。"
        draft.doubt_key("two_keys", reason)
        draft.right = []


def fill_order(interaction: Element, scoring: Scoring, renderer: Renderer, draft: ParsedQuestion) -> None:
    """An order interaction: its correct response holds all choices in the right order."""
    declaration = scoring.of(interaction)
    choices = list(interaction.iter("simpleChoice"))
    draft.kind = Kind.ORDERING
    draft.options = [renderer.rich(choice) for choice in choices]
    draft.right = _places(list(declaration.correct), [choice.get("identifier", "") for choice in choices], draft)
    if interaction.get("maxChoices", "0") not in {"0", str(len(choices))}:
        draft.doubt_key("incomplete_order", "原题只要求排出一部分选项，本平台要排全部选项。请核对答案。")
        draft.right = []


def fill_text(interaction: Element, scoring: Scoring, renderer: Renderer, draft: ParsedQuestion) -> None:
    """An extended text: a short answer, its correct response the model answer."""
    del renderer
    draft.kind = Kind.SHORT_ANSWER
    draft.answer = "\n".join(value for value in scoring.of(interaction).correct if value)


def gap_of(interaction: Element, scoring: Scoring, renderer: Renderer, draft: ParsedQuestion) -> Gap:
    """A gap within the text, written or chosen."""
    declaration = scoring.of(interaction)
    if local(interaction) == "inlineChoiceInteraction":
        choices = children(interaction, "inlineChoice")
        gap = Gap(is_choice=True, options=[renderer.rich(choice) for choice in choices])
        right = right_choices(declaration, scoring, draft)
        gap.right = _places(right, [choice.get("identifier", "") for choice in choices], draft)
        return gap
    gap = Gap(variants=accepted_texts(declaration, scoring, draft))
    length = interaction.get("expectedLength", "")
    if length.isdecimal() and 2 <= int(length) <= 12:
        gap.length = int(length)
    if not gap.variants:
        gap.doubt = ("no_key", "有空没有写明答案。请补上答案。")
    elif interaction.get("responseIdentifier") in scoring.loose:
        gap.doubt = ("loose_scoring", "原题不是按文字比对答案，写明的答案可能只是其中一个。请核对并补全答案。")
    elif declaration.base_type in NUMERIC:
        gap.variants = as_texts(gap.variants)
        draft.lose("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    return gap


def _places(right: list[str], names: list[str], draft: ParsedQuestion) -> list[int]:
    if len(set(names)) != len(names):
        draft.doubt_key("duplicate_letters", "有两个选项用了同一个标识，分不清答案指哪一个。请改正后再导入。")
        return []
    if any(name not in names for name in right):
        draft.doubt_key("key_outside_options", "答案指向不存在的选项。请核对答案。")
        return []
    return [names.index(name) for name in right]


SUPPORTED: dict[str, Fill] = {
    "choiceInteraction": fill_choice,
    "orderInteraction": fill_order,
    "extendedTextInteraction": fill_text,
}
