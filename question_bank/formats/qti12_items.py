"""Read the items of a `questestinterop` tree as questions."""

import re
from collections.abc import Callable, Collection

from examapp.documents.safe_xml import Element, child_text, children, local, place_of, text_of
from question_bank.formats import qti12_scoring
from question_bank.formats.gift import FULL_CREDIT, fill_short
from question_bank.formats.package import Files
from question_bank.formats.parsed import (
    Gap,
    ParsedQuestion,
    as_texts,
    number,
    parse_points,
    place_gaps,
    token,
    unsupported_kind,
)
from question_bank.formats.pictures import attach_images
from question_bank.formats.qti12_scoring import Condition
from question_bank.model import Kind, Note, Outcome, ParseResult
from question_bank.rich import Rich

TAGS_LABEL = "bank_tags"
_UNSUPPORTED_TYPES = {
    "matching_question": "连线题（配对题）",
    "categorization_question": "归类题",
    "ordering_question": "排序题",
    "hot_spot_question": "热区题（图上点选）",
    "calculated_question": "计算公式题",
    "file_upload_question": "上传文件题",
}
_TEXT_TYPES = frozenset({"text_only_question", "stimulus_question", "stimulus", "passage"})
_UNSUPPORTED = {
    "response_xy": "热区题（图上点选）",
    "response_grp": "连线题（配对题）",
    "response_extension": "自定义互动题",
    "render_hotspot": "热区题（图上点选）",
    "render_slider": "滑块题",
}
_FILL_INS = frozenset({"fill_in_multiple_blanks_question", "rich_fill_in_blank_question"})
_LOOSE = frozenset({"TextContainsAnswer", "TextCloseEnough"})
_RANGES = frozenset({"vargt", "vargte", "varlt", "varlte"})


def is_tree(root: Element) -> bool:
    """Return whether a root is that of QTI 1.x."""
    return local(root) == "questestinterop"


def read_tree(root: Element, result: ParseResult, files: Files, *, known: Collection[str] | None = None) -> None:
    """Add all items of the tree to the reading; `known` are items and banks of the same package."""
    prefix = f"{files.name}：" if files.name else ""
    stimuli: dict[str, Rich] = {}
    for number_, item in enumerate(root.iter("{*}item"), start=1):
        where = f"{prefix}/questestinterop//item[{number_}]（第 {item.sourceline} 行）"
        facts = _facts(item)
        has_response = any(local(one) in qti12_scoring.RESPONSES for one in item.iter())
        if not has_response and (
            facts.get("question_type", "") in {*_TEXT_TYPES, ""} or "stimulus" in facts.get("question_type", "")
        ):
            stimuli[item.get("ident", "")] = qti12_scoring.material_of(item)
            result.remarks.append(Note(where, "这一项是说明文字或阅读材料，不是题目，没有单独导入。", "description"))
            continue
        result.add(_Qti12Item(item, facts, where, files).outcome(stimuli))
    known = known or frozenset()
    for element in root.iter("{*}bankentry_item", "{*}itemref"):
        if element.get("item_ref") in known or element.get("linkrefid") in known:
            continue
        reason = "这里引用了题库里的一道题，题目本身不在文件里，没有导入。请把题库一起导出。"
        result.rejected.append(Note(f"{prefix}{place_of(element)}", reason, "question_elsewhere"))
    for element in root.iter("{*}sourcebank_ref"):
        if (element.text or "").strip() not in known:
            note = "这里从题库随机抽题，题库不在文件里，没有导入。请把题库一起导出。"
            result.remarks.append(Note(f"{prefix}第 {element.sourceline} 行", note, "bank_reference"))


def idents_of(root: Element) -> set[str]:
    """Return the identifiers of the items and banks that a tree holds."""
    return {element.get("ident", "") for element in root.iter("{*}item", "{*}objectbank")} - {""}


def _facts(item: Element) -> dict[str, str]:
    """Return the item's metadata, label to entry."""
    return {
        child_text(one, "fieldlabel").strip(): child_text(one, "fieldentry").strip()
        for part in children(item, "itemmetadata")
        for one in part.iter("{*}qtimetadatafield")
    }


class _Qti12Item:
    """One item, while it is read."""

    def __init__(self, item: Element, facts: dict[str, str], where: str, files: Files) -> None:
        self._item = item
        self._facts = facts
        self._files = files
        self._parsed = ParsedQuestion(where=where, kind=Kind.SHORT_ANSWER)
        self._conditions = qti12_scoring.conditions_of(item)
        self._responses = [one for one in item.iter() if local(one) in qti12_scoring.RESPONSES]

    def outcome(self, stimuli: dict[str, Rich]) -> Outcome:
        """Return the item settled."""
        where, parsed = self._parsed.where, self._parsed
        if name := self._unsupported_name():
            return unsupported_kind(where, name)
        presentation = next(iter(children(self._item, "presentation")), None)
        if presentation is None or not self._responses:
            return Note(where, "这一项没有要作答的地方，不是题目。", "no_interaction")
        parsed.stem = self._attach(qti12_scoring.material_of(presentation, below_responses=False))
        if len(self._responses) == 1 and not self._is_fill_in() and not self._is_gap(self._responses[0]):
            if self._is_lone_match(self._responses[0]):
                return unsupported_kind(where, "连线题（配对题）")
            parsed.stem = self._attach(qti12_scoring.material_of(presentation))
        self._read_facts(stimuli)
        filler = self._filler()
        if name := filler() if filler else "连线题（配对题）":
            return unsupported_kind(where, name)
        self._read_feedback()
        return parsed.validate()

    def _unsupported_name(self) -> str:
        if known := _UNSUPPORTED_TYPES.get(self._facts.get("question_type", "")):
            return known
        if name := next((_UNSUPPORTED[local(one)] for one in self._item.iter() if local(one) in _UNSUPPORTED), ""):
            return name
        if next(self._item.iter("{*}calculated", "{*}formula", "{*}formulas"), None) is not None:
            return "计算公式题"
        if any(one.get("rcardinality", "").lower() == "ordered" for one in self._responses):
            return "排序题"
        if any(local(one) == "response_str" and _is_upload(one) for one in self._responses):
            return "上传文件题"
        return ""

    def _filler(self) -> Callable[[], str] | None:
        lids = [one for one in self._responses if local(one) == "response_lid"]
        if len(self._responses) == 1:
            is_gap = bool(lids) and (self._is_fill_in() or self._is_gap(lids[0]))
            return self._fill_gaps if is_gap else self._fill_choice if lids else self._fill_string
        if len(lids) == len(self._responses) and (self._is_fill_in() or all(self._is_gap(one) for one in lids)):
            return self._fill_gaps
        if not lids and all(local(one) == "response_str" for one in self._responses):
            return self._fill_strings
        return None

    def _is_fill_in(self) -> bool:
        """Return whether Canvas calls the item a fill-in, or its New Quizzes say of a label how it is answered."""
        return self._facts.get("question_type", "") in _FILL_INS or _answer_type(self._item) != ""

    def _is_gap(self, response: Element) -> bool:
        """Return whether a response belongs to a `[name]` in the stem, as Canvas writes gaps."""
        return self._gap_mark(response) != ""

    def _gap_mark(self, response: Element) -> str:
        """Return what stands in the stem for a response: `[name]`, or New Quizzes' empty `<span id="blank_name">`; empty where nothing does."""
        stem = self._parsed.stem.text
        for name in _gap_names(response):
            if f"[{name}]" in stem:
                return f"[{name}]"
            if found := re.search(rf"<span[^<>]*\bid=[\"'](?:blank_)?{re.escape(name)}[\"'][^<>]*>\s*</span>", stem):
                return found[0]
        return ""

    def _is_lone_match(self, response: Element) -> bool:
        """Return whether a response is Canvas' matching of one pair: it has words of its own under a stem."""
        is_named = bool(re.fullmatch(r"response_\w+", response.get("ident", ""))) and any(_gap_names(response))
        return is_named and not self._is_fill_in() and not self._parsed.stem.is_blank

    def _read_facts(self, stimuli: dict[str, Rich]) -> None:
        parsed, name = self._parsed, self._item.get("ident", "")
        parsed.set_code(name)
        parsed.points = parse_points(self._facts.get("points_possible"))
        maximum = next((one.get("maxvalue") for one in self._item.iter("{*}decvar") if one.get("maxvalue")), None)
        if parsed.points is None and maximum != "100":
            parsed.points = parse_points(maximum)
        parsed.set_tags([tag for tag in self._facts.get(TAGS_LABEL, "").split("\n") if tag])
        parent = "parent_stimulus_item_ident"
        passage = stimuli.get(self._item.get(parent, "") or self._facts.get(parent, ""))
        if passage is not None:
            text = f"<div>{self._attach(passage).fragment}</div><div>{parsed.stem.fragment}</div>"
            parsed.stem = Rich(text, is_html=True)

    def _fill_choice(self) -> str:
        parsed, response = self._parsed, self._responses[0]
        labels = list(response.iter("{*}response_label"))
        names = [label.get("ident", "") for label in labels]
        parsed.options = [self._attach(qti12_scoring.material_of(label)) for label in labels]
        is_multiple = response.get("rcardinality", "Single").lower() == "multiple"
        parsed.kind = Kind.MULTIPLE_CHOICE if is_multiple else Kind.SINGLE_CHOICE
        find = qti12_scoring.right_multiple if is_multiple else qti12_scoring.right_single
        parsed.choose(find(names, response.get("ident", ""), self._conditions, parsed), names)
        return ""

    def _fill_string(self) -> str:
        parsed, response = self._parsed, self._responses[0]
        tests = {local(one) for part in children(self._item, "resprocessing") for one in part.iter()}
        variants = self._variants(response.get("ident", ""))
        is_number = self._facts.get("question_type") == "numerical_question" or local(response) == "response_num"
        types = {one.get("fibtype", "").lower() for one in response.iter("{*}render_fib")}
        is_number = is_number or bool(types & {"decimal", "integer"})
        if is_number or tests & _RANGES:
            return self._fill_number(variants)
        if variants:
            fill_short(parsed, [(variant.replace("*", "\\*"), FULL_CREDIT) for variant in variants])
        elif self._facts.get("question_type") == "short_answer_question":
            parsed.kind = Kind.FILL_BLANK
        else:
            parts = [qti12_scoring.material_of(one).plain for one in self._item.iter("{*}solution")]
            parsed.answer = "\n".join(part for part in parts if part)
        return ""

    def _fill_strings(self) -> str:
        """Return several text fields: one fill-in, its gaps behind the stem."""
        gaps = [Gap(variants=tuple(self._variants(one.get("ident", "")))) for one in self._responses]
        for gap in gaps:
            if not gap.variants:
                gap.review = ("no_key", "有空没有写明答案。请补上答案。")
        place_gaps(self._parsed, self._parsed.stem, gaps)
        return ""

    def _fill_number(self, variants: list[str]) -> str:
        """Fill a numerical question where all limits are the one value; else return the name of a range."""
        limits = {
            number(text_of(one))
            for part in children(self._item, "resprocessing")
            for one in part.iter()
            if local(one) in {*_RANGES, "varequal"} and not self._is_feedback_only(one)
        }
        if len(limits) != 1 or None in limits or not variants:
            return "数值范围题" if limits else ""
        fill_short(self._parsed, [(text, FULL_CREDIT) for text in as_texts(variants)])
        self._parsed.add_dropped("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
        return ""

    def _is_feedback_only(self, test: Element) -> bool:
        condition = next((one for one in test.iterancestors() if local(one) == "respcondition"), None)
        return condition is not None and not children(condition, "setvar")

    def _fill_gaps(self) -> str:
        """Fill Canvas' `[name]` gaps: written, or chosen from a list."""
        stem, gaps, parsed = self._parsed.stem, [], self._parsed
        marks = [self._gap_mark(response) for response in self._responses]
        for place, (response, mark) in enumerate(zip(self._responses, marks, strict=True)):
            if mark and (self._parsed.stem.text.count(mark) > 1 or marks.count(mark) > 1):
                parsed.require_review(
                    "gap_repeated", f"题干里的空 {mark} 出现了两次，分不清是哪一处。请核对题干和答案。"
                )
            stem = Rich(stem.text.replace(mark, token(place), 1), stem.is_html) if mark else stem
            gaps.append(self._gap(response))
        if not all(marks):
            parsed.add_dropped("gaps_moved", "题干里没有标出空的位置，空放在题干后面。")
        place_gaps(parsed, stem, gaps)
        return ""

    def _gap(self, response: Element) -> Gap:
        labels = list(response.iter("{*}response_label"))
        options = [self._attach(qti12_scoring.material_of(label)) for label in labels]
        text = [option.plain for option in options]
        answered = _answer_type(response)
        is_written = self._facts.get("question_type") in _FILL_INS if not answered else answered == "openentry"
        if is_written or len({word.casefold() for word in text}) == 1:
            return self._written_gap(response, text)
        names = [label.get("ident", "") for label in labels]
        right = qti12_scoring.right_single(names, response.get("ident", ""), self._conditions, self._parsed)
        return Gap(is_choice=True, options=options, right=[names.index(name) for name in right if name in names])

    def _written_gap(self, response: Element, text: list[str]) -> Gap:
        gap = Gap(variants=tuple(dict.fromkeys(word for word in text if word)))
        ways = {label.get("scoring_algorithm", "") for label in response.iter("{*}response_label")}
        if not gap.variants:
            gap.review = ("no_key", "有空没有写明答案。请补上答案。")
        elif "TextRegex" in ways:
            gap.review = ("pattern_answer", "有空的答案是匹配式（正则表达式），本平台不支持。请写出具体的答案。")
        elif ways & _LOOSE:
            reason = "原来答案“包含”或“接近”就算对，导入后要与所列答案一致才算对。请补上其他可接受的写法。"
            self._parsed.add_dropped("loose_matching", reason)
        return gap

    def _variants(self, response: str) -> list[str]:
        giving = [condition for condition in self._conditions if condition.gain > 0]
        best = max((condition.gain for condition in giving), default=None)
        if len(self._responses) == 1 and any(condition.gain != best for condition in giving):
            self._parsed.add_dropped("partial_credit", "得部分分的答案没有保留，只收得满分的答案。")
        full = [condition for condition in giving if condition.gain == best or len(self._responses) > 1]
        found = [value for condition in full for name, value in qti12_scoring.wanted(condition) if name == response]
        return list(dict.fromkeys(value for value in found if value))

    def _read_feedback(self) -> None:
        parsed = self._parsed
        feedback = children(self._item, "itemfeedback")
        texts = {one.get("ident", ""): self._attach(qti12_scoring.material_of(one)) for one in feedback}
        if any(local(one) == "hint" for one in self._item.iter()):
            parsed.add_dropped("hints_dropped", "作答提示没有保留。")
        names = [label.get("ident", "") for label in self._responses[0].iter("{*}response_label")]
        owners = _owners(self._conditions, names) if parsed.options or parsed.kind is Kind.SINGLE_CHOICE else {}
        for name, text in texts.items():
            if text.is_blank or text.plain == parsed.answer != "":
                continue
            option = name.removesuffix("_fb")
            place = owners.get(name, names.index(option) if option in names else None)
            if place is not None and len(self._responses) == 1:
                parsed.option_notes.setdefault(place, text)
            else:
                parsed.explanation.append(text)

    def _attach(self, text: Rich) -> Rich:
        return attach_images(self._parsed, text, lambda source: qti12_scoring.fetch_from(self._files, source))


def _owners(conditions: list[Condition], names: list[str]) -> dict[str, int]:
    """Return for feedback that a condition on one option alone shows the index of that option."""
    owners: dict[str, int] = {}
    for condition in conditions:
        values = [value for _, value in qti12_scoring.wanted(condition)]
        if len(values) == 1 and values[0] in names and len(condition.tests) == 1 and not condition.sets:
            for name in condition.shows:
                owners.setdefault(name, names.index(values[0]))
    return owners


def _gap_names(response: Element) -> list[str]:
    """Return the names by which the stem may call a response: Classic Quizzes write it beside the response, New Quizzes in its identifier."""
    names = (child_text(response, "material", "mattext").strip(), response.get("ident", "").removeprefix("response_"))
    return [name for name in names if name]


def _answer_type(element: Element) -> str:
    """Return how the labels within are answered, as New Quizzes say: `openentry`, `dropdown` or `wordbank`; empty for all others."""
    found = (label.get("answer_type", "") for label in element.iter("{*}response_label"))
    return next((one.lower() for one in found if one), "")


def _is_upload(response: Element) -> bool:
    return bool(re.search("file|upload", response.get("rtype", ""), re.IGNORECASE)) or any(
        local(one) == "render_fib" and one.get("fibtype", "").lower() == "file" for one in response.iter()
    )
