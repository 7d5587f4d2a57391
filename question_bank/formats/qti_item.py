"""Read one QTI item as a question."""

import re
from dataclasses import dataclass, field

from lxml import etree

from examapp.documents.archives import UnreadableFileError
from examapp.documents.safe_xml import Element, child_text, children, local, place_of
from question_bank.formats.export import split_part_tags
from question_bank.formats.package import Files
from question_bank.formats.parsed import ParsedQuestion, parse_points, place_gaps, token, unsupported_kind
from question_bank.formats.pictures import attach_all_images, attach_images
from question_bank.formats.qti_body import QtiRenderer
from question_bank.formats.qti_interactions import (
    IGNORED,
    INLINE,
    SUPPORTED,
    UNSUPPORTED,
    Scoring,
    gap_of,
    identifiers,
    is_number_range,
    read_scoring,
)
from question_bank.model import Kind, Note, Outcome
from question_bank.rich import Rich

_HYPHEN = re.compile(r"-([a-z0-9])")
_VERSION = re.compile(r"imsqti(?:asi)?_(?:item_|test_)?v(?P<major>[23])p(?P<minor>\d)")
_MATH = "http://www.w3.org/1998/Math/MathML"
ROOTS = frozenset(
    {
        "assessmentItem", "assessmentTest", "assessmentSection", "assessmentStimulus", "assessmentItemRef", "responseProcessing",
        "outcomeDeclaration", "assessmentResult", "usageData",
    }
)  # fmt: skip


def version_of(root: Element) -> str:
    """Return `2.1`, `2.2` or `3.0` by the root's namespace; raises UnreadableFileError when it names no known version."""
    namespace = etree.QName(root).namespace or ""
    found = _VERSION.search(namespace)
    if found is None:
        said = f"命名空间是“{namespace[:80]}”" if namespace else "根元素没有命名空间"
        raise UnreadableFileError(f"看不出 QTI 的版本（{said}）。支持 QTI 1.2、2.1、2.2 和 3.0，请在原系统重新导出。")
    return f"{found.group('major')}.{found.group('minor')}"


def plain_name(name: str) -> str:
    """Return a name of QTI 3.0 as QTI 2 writes it."""
    return _camel(name.removeprefix("qti-")) if re.match("qti-[a-z]", name) else name


def unify_names(root: Element) -> None:
    """Rename, in place, all elements and attributes to QTI 2's names without namespaces; MathML stays `math`, others go."""
    for element in root.iter():
        if not local(element):
            continue
        name = etree.QName(element)
        element.tag = plain_name(name.localname)
        if name.namespace == _MATH and name.localname != "math":
            element.tag = f"math-{name.localname}"
        if name.localname.startswith("qti-") and element.tag != name.localname:
            for key, value in list(element.attrib.items()):
                plain = str(key)
                if "-" in plain and not plain.startswith(("{", "data-", "aria-")):
                    del element.attrib[key]
                    element.set(_camel(plain), value)


def _camel(name: str) -> str:
    return _HYPHEN.sub(lambda match: match.group(1).upper(), name)


_TOKEN = re.compile("\uf100(\\d+)\uf101")
_HIDDEN = re.compile("\uf102\uf100(\\d+)\uf101")
_PART = re.compile(r"explanation-(?P<part>\d{1,4})")


@dataclass(slots=True)
class _QtiItem:
    """An item, while it is read."""

    root: Element
    parsed: ParsedQuestion
    renderer: QtiRenderer
    scoring: Scoring
    tags: list[str]
    stem: Rich = field(default_factory=Rich)
    hidden: frozenset[int] = frozenset()


def item_outcome(root: Element, files: Files, *, tags: list[str] | None = None) -> Outcome:
    """Return the item (names unified, structure checked) as imported, doubtful or rejected."""
    where = place_of(root, files.name)
    parsed = ParsedQuestion(where=where, kind=Kind.SHORT_ANSWER)
    renderer = QtiRenderer(parsed)
    item = _QtiItem(root, parsed, renderer, read_scoring(root), tags or [])
    stem = _stimulus(root, parsed, files) + "".join(renderer.inner(body) for body in children(root, "itemBody"))
    rejection = _rejection(item)
    if rejection is not None:
        return rejection
    kept = [(place, one) for place, one in enumerate(item.renderer.body.interactions) if local(one) not in IGNORED]
    if len(kept) < len(item.renderer.body.interactions):
        item.parsed.add_dropped("hint_button", "原题里的提示按钮没有保留。")
    places = {old: new for new, (old, _) in enumerate(kept)}
    renumbered = _TOKEN.sub(lambda m: token(places[int(m.group(1))]) if int(m.group(1)) in places else "", stem)
    item.renderer.body.interactions = [one for _, one in kept]
    item.hidden = frozenset(int(place) for place in _HIDDEN.findall(renumbered))
    item.stem = Rich(_HIDDEN.sub("", renumbered).replace("\uf102", ""), is_html=True)
    _read_facts(item)
    _fill(item, files)
    return parsed.validate()


def _rejection(item: _QtiItem) -> Note | None:
    root, interactions, where = item.root, item.renderer.body.interactions, item.parsed.where
    names = (local(one) for one in interactions if local(one) not in {*SUPPORTED, *INLINE, *IGNORED})
    name = "、".join(dict.fromkeys(UNSUPPORTED.get(one, one) for one in names))
    if next(root.iter("templateDeclaration", "templateProcessing"), None) is not None:
        name = "随机参数题"
    elif root.get("adaptive") == "true":
        name = "自适应题"
    elif any(is_number_range(one, item.scoring) for one in interactions):
        name = "数值范围题"
    if name:
        return unsupported_kind(where, name)
    if not [one for one in interactions if local(one) not in IGNORED]:
        return Note(where, "这一项没有要作答的地方，不是题目。", "no_interaction")
    return None


def _read_facts(item: _QtiItem) -> None:
    parsed, root = item.parsed, item.root
    parsed.set_tags(item.tags)
    parsed.set_code(root.get("label") or root.get("identifier") or "")
    for outcome in children(root, "outcomeDeclaration"):
        default = child_text(outcome, "defaultValue", "value")
        if outcome.get("identifier") == "MAXSCORE":
            parsed.points = parse_points(default) or parsed.points
        elif outcome.get("identifier") == "SCORE" and parsed.points is None:
            parsed.points = parse_points(outcome.get("normalMaximum"))


def _fill(item: _QtiItem, files: Files) -> None:
    interactions = item.renderer.body.interactions
    if all(local(one) in INLINE for one in interactions):
        gaps = [gap_of(one, item.scoring, item.renderer, item.parsed) for one in interactions]
        item.parsed.stem = item.stem
        place_gaps(item.parsed, item.stem, gaps, hidden=item.hidden)
        choices = list(interactions[0].iter("inlineChoice")) if len(interactions) == 1 else []
    elif len(interactions) == 1:
        choices = list(interactions[0].iter("simpleChoice"))
        interaction = interactions[0]
        prompt = _prompt(item, interaction).text
        body = item.stem.text.replace(token(0), f"<div>{prompt}</div>" if prompt else "")
        item.parsed.stem = Rich(body.strip(), is_html=True)
        SUPPORTED[local(interaction)](interaction, item.scoring, item.renderer, item.parsed)
        if local(interaction) == "extendedTextInteraction" and not item.parsed.answer:
            item.parsed.answer = "\n".join(note.plain for note in item.renderer.body.scorer_notes)
        elif item.renderer.body.scorer_notes:
            item.parsed.add_dropped("rubric_dropped", "给阅卷人看的说明没有保留。")
    else:
        choices = []
        _fill_case(item)
    _place_feedback(item, identifiers(choices))
    for one in [item.parsed, *item.parsed.parts]:
        attach_all_images(one, files.fetch, item.parsed)


def _prompt(item: _QtiItem, interaction: Element) -> Rich:
    prompt = next(iter(children(interaction, "prompt")), None)
    return item.renderer.rich(prompt) if prompt is not None else Rich()


def _fill_case(item: _QtiItem) -> None:
    """Fill a case from several interactions in one text: each is a part."""
    item.parsed.kind = Kind.CASE
    stem = item.stem.text
    outcomes = children(item.root, "outcomeDeclaration")
    points = {one.get("identifier"): child_text(one, "defaultValue", "value") for one in outcomes}
    tags, part_tags, codes = split_part_tags(item.tags)
    item.parsed.set_tags(tags)
    for place, interaction in enumerate(item.renderer.body.interactions):
        name, prompt = local(interaction), _prompt(item, interaction)
        part = ParsedQuestion(where=item.parsed.where, part_name=f"第 {place + 1} 小题", stem=prompt)
        if name in INLINE:
            part.stem = Rich(f"第（{place + 1}）空")
            gap_of(interaction, item.scoring, item.renderer, part).fill(part)
            stem = stem.replace(token(place), f"（{place + 1}）____")
        else:
            SUPPORTED[name](interaction, item.scoring, item.renderer, part)
            stem = stem.replace(token(place), "" if not part.stem.is_blank else f"（{place + 1}）")
            if part.stem.is_blank:
                part.stem = Rich(f"第（{place + 1}）题")
        if part.stem.plain.startswith("第（"):
            item.parsed.add_dropped("gaps_as_case", "一道题里有几处作答，改成了案例题：每一处是一道小题。")
        part.images = item.parsed.images
        part.points = parse_points(points.get(f"MAXSCORE_{place + 1}"))
        part.set_tags(part_tags.get(place + 1, []))
        part.code = codes.get(place + 1)
        item.parsed.parts.append(part)
    item.parsed.stem = Rich(stem.strip(), is_html=True)
    if item.parsed.stem.is_blank:
        item.parsed.stem = Rich("请回答下列各题。")
    if item.renderer.body.scorer_notes:
        item.parsed.add_dropped("rubric_dropped", "给阅卷人看的说明没有保留。")


def _place_feedback(item: _QtiItem, choices: list[str]) -> None:
    """Assign feedback on one option to it, the writer's `explanation-2` to part 2, and the rest to the whole."""
    parsed = item.parsed
    modal = [(one.get("identifier", ""), item.renderer.rich(one)) for one in children(item.root, "modalFeedback")]
    for name, text in [*item.renderer.body.feedback, *modal]:
        part = _PART.fullmatch(name)
        if part is not None and 0 < int(part.group("part")) <= len(parsed.parts):
            parsed.parts[int(part.group("part")) - 1].explanation.append(text)
        elif name in choices and choices.index(name) not in parsed.option_notes:
            parsed.option_notes[choices.index(name)] = text
        elif text not in parsed.explanation:
            parsed.explanation.append(text)


def _stimulus(root: Element, parsed: ParsedQuestion, files: Files) -> str:
    """Return the passages that an item of QTI 3.0 shares with others."""
    parts = []
    for reference in children(root, "assessmentStimulusRef"):
        try:
            found = files.parse(reference.get("href", ""))
        except UnreadableFileError:
            found = None
        if found is None:
            reason = f"题目引用的材料“{reference.get('href', '')}”不在文件里，没有导入。请补上材料。"
            parsed.add_dropped("stimulus_missing", reason)
            continue
        stimulus, beside = found
        unify_names(stimulus)
        for body in children(stimulus, "stimulusBody"):
            text = attach_images(parsed, QtiRenderer(parsed).rich(body), beside.fetch)
            parts.append(f"<div>{text.text}</div>")
    return "".join(parts)
