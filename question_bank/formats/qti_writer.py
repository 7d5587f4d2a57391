"""Write QTI 2.1, 2.2 and 3.0 packages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from lxml import etree
from lxml import html as lxml_html

from examapp.documents.safe_xml import Element, clean
from question_bank.formats.export import ExportedFile, encode_part_tags, encode_tags, is_keyed, writable
from question_bank.formats.package import PackageFile, write_zip
from question_bank.formats.qti_body import ANSWER_CLASS, STEM_CLASS
from question_bank.model import OPTION_LETTERS, Kind, Note, Question
from question_bank.rich import Rich

_QTI_NAMES = frozenset(
    {
        "assessmentItem", "responseDeclaration", "outcomeDeclaration", "correctResponse", "defaultValue", "value", "mapping",
        "mapEntry", "itemBody", "choiceInteraction", "orderInteraction", "simpleChoice", "prompt", "textEntryInteraction", "extendedTextInteraction",
        "responseProcessing", "responseCondition", "responseIf", "match", "variable", "correct", "setOutcomeValue", "baseValue",
        "sum", "mapResponse", "multiple", "modalFeedback", "contentBody",
    }
)  # fmt: skip
_CAPITAL = re.compile(r"([A-Z])")


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """Return a child with text and attributes; a trailing underscore in a keyword is dropped (`class_`)."""
    element = etree.SubElement(parent, name, {key.rstrip("_"): clean(value) for key, value in attributes.items()})
    if text is not None:
        element.text = clean(text)
    return element


def add_rich(parent: Element, text: Rich, image_folder: str) -> None:
    """Put a text into an element, its `bank:` pictures pointing to the folder."""
    if not text.is_html:
        first, *rest = clean(text.text).split("\n")
        parent.text = (parent.text or "") + first
        for line in rest:
            etree.SubElement(parent, "br").tail = line
        return
    source = lxml_html.fragment_fromstring(clean(text.text), create_parent="div")
    for image in source.iter("img"):
        name = image.get("src", "")
        if name.startswith("bank:"):
            image.set("src", f"{image_folder}/{name.removeprefix('bank:')}")
    parent.text = (parent.text or "") + (source.text or "")
    for child in list(source):
        parent.append(child)


def to_bytes(root: Element, namespace: str) -> bytes:
    """Return the document with its default namespace."""
    text = etree.tostring(root, encoding="unicode").replace(f"<{root.tag!s}", f'<{root.tag!s} xmlns="{namespace}"', 1)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{text}".encode()


def _kebab(name: str) -> str:
    return _CAPITAL.sub(lambda match: "-" + match.group(1).lower(), name)


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,100}")
_LINE = re.compile("_{2,}")
_ONE = ("choiceInteraction", "single", {"shuffle": "false", "maxChoices": "1"})
_INTERACTIONS: dict[Kind, tuple[str, str, dict[str, str]]] = {
    Kind.SINGLE_CHOICE: _ONE,
    Kind.TRUE_FALSE: _ONE,
    Kind.MULTIPLE_CHOICE: ("choiceInteraction", "multiple", {"shuffle": "false", "maxChoices": "0"}),
    Kind.ORDERING: ("orderInteraction", "ordered", {"shuffle": "true"}),
    Kind.SHORT_ANSWER: ("extendedTextInteraction", "single", {}),
}
"""The interaction of each kind, the cardinality of its response, and its attributes."""


def item_of(question: Question, number: int, *, match_template: str) -> Element:
    """Return the item; `number` names it when the question has no number of its own."""
    return _ItemWriter(question, number).build(match_template)


class _ItemWriter:
    """Builds one item."""

    def __init__(self, question: Question, number: int) -> None:
        self._question = question
        self._images = f"../images/{number:04d}"
        code = question.code or ""
        own = bool(_NAME.fullmatch(code))
        self._root = etree.Element(
            "assessmentItem",
            identifier=code if own else f"bank-item-{number}",
            title=clean(Rich(question.stem, question.is_html).plain[:60].replace("\n", " ")) or "题目",
            adaptive="false",
            timeDependent="false",
        )
        if code and not own:
            self._root.set("label", clean(code))
        self._body = etree.Element("itemBody")
        self._responses: list[tuple[str, bool]] = []
        """Identifier of each response, and whether it is mapped; none for model answers."""

    def build(self, match_template: str) -> Element:
        """Return the item's element."""
        question = self._question
        if question.kind is Kind.FILL_BLANK:
            self._gaps(question, "RESPONSE")
        else:
            add_rich(add(self._body, "div", class_=STEM_CLASS), Rich(question.stem, question.is_html), self._images)
            units = [("", question)] if question.kind is not Kind.CASE else list(self._parts())
            for suffix, unit in units:
                self._unit(unit, f"RESPONSE{suffix}", with_prompt=bool(suffix))
        outcome = add(self._root, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
        add(add(outcome, "defaultValue"), "value", "0")
        for suffix, unit in [("", self._question), *self._parts()]:
            if (value := unit.points) is not None:
                name = f"MAXSCORE{suffix}"
                outcome = add(self._root, "outcomeDeclaration", identifier=name, cardinality="single", baseType="float")
                add(add(outcome, "defaultValue"), "value", f"{value:f}")
        if self._explanations():
            add(self._root, "outcomeDeclaration", identifier="FEEDBACK", cardinality="multiple", baseType="identifier")
        self._root.append(self._body)
        self._processing(match_template)
        for name, unit in self._explanations():
            feedback = add(self._root, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier=name, showHide="show")
            add_rich(feedback, Rich(unit.explanation, unit.is_html), self._images)
        return self._root

    def _parts(self) -> list[tuple[str, Question]]:
        return [(f"_{place}", part) for place, part in enumerate(self._question.parts, start=1)]

    def _unit(self, unit: Question, response: str, *, with_prompt: bool) -> None:
        if unit.kind is Kind.FILL_BLANK:
            self._gaps(unit, response)
            return
        name, cardinality, attributes = _INTERACTIONS[unit.kind]
        is_choice = unit.kind is not Kind.SHORT_ANSWER
        self._declare(response, cardinality, "identifier" if is_choice else "string", unit.key)
        if is_choice:
            self._responses.append((response, False))
        interaction = add(self._body, name, responseIdentifier=response, **attributes)
        if with_prompt:
            add_rich(add(interaction, "prompt"), Rich(unit.stem, unit.is_html), self._images)
        is_html = unit.is_html and unit.kind is not Kind.TRUE_FALSE
        for letter, option in zip(OPTION_LETTERS, unit.options, strict=False):
            add_rich(add(interaction, "simpleChoice", identifier=letter), Rich(option, is_html), self._images)

    def _declare(self, response: str, cardinality: str, base_type: str, correct: tuple[str, ...]) -> Element:
        facts = {"identifier": response, "cardinality": cardinality, "baseType": base_type}
        declaration = add(self._root, "responseDeclaration", **facts)
        if correct:
            values = add(declaration, "correctResponse")
            for value in correct:
                add(values, "value", value)
        return declaration

    def _gaps(self, unit: Question, response: str) -> None:
        """Write the stem with a gap for each run of underscores; gaps that find none go into a paragraph of their own."""
        holder = add(self._body, "div", class_=STEM_CLASS)
        names = [f"{response}_{place}" for place in range(1, len(unit.blanks) + 1)]
        for name, variants in zip(names, unit.blanks, strict=True):
            declaration = self._declare(name, "single", "string", variants[:1])
            mapping = add(declaration, "mapping", defaultValue="0")
            for variant in variants:
                add(mapping, "mapEntry", mapKey=variant, mappedValue="1")
            self._responses.append((name, True))
        add_rich(holder, Rich(unit.stem, unit.is_html), self._images)
        if left := _place_gaps(holder, names):
            answers = add(self._body, "p", class_=ANSWER_CLASS)
            for name in left:
                add(answers, "textEntryInteraction", responseIdentifier=name)

    def _explanations(self) -> list[tuple[str, Question]]:
        units = [("explanation", self._question)]
        units += [(f"explanation-{place}", part) for place, part in enumerate(self._question.parts, start=1)]
        return [(name, unit) for name, unit in units if unit.explanation]

    def _processing(self, match_template: str) -> None:
        explanations = self._explanations()
        if len(self._responses) == 1 and not self._responses[0][1] and not explanations:
            add(self._root, "responseProcessing", template=match_template)
            return
        if not self._responses and not explanations:
            return
        processing = add(self._root, "responseProcessing")
        self._score(processing)
        if explanations:
            values = add(add(processing, "setOutcomeValue", identifier="FEEDBACK"), "multiple")
            for name, _ in explanations:
                add(values, "baseValue", name, baseType="identifier")

    def _score(self, processing: Element) -> None:
        for name, is_mapped in self._responses:
            holder = processing
            if not is_mapped:
                holder = add(add(processing, "responseCondition"), "responseIf")
                match = add(holder, "match")
                add(match, "variable", identifier=name)
                add(match, "correct", identifier=name)
            total = add(add(holder, "setOutcomeValue", identifier="SCORE"), "sum")
            add(total, "variable", identifier="SCORE")
            if is_mapped:
                add(total, "mapResponse", identifier=name)
            else:
                add(total, "baseValue", "1", baseType="float")


def _place_gaps(holder: Element, names: list[str]) -> list[str]:
    """Put gaps where the text has runs of underscores, in order; the names that found none."""
    left = list(names)
    for element in list(holder.iter()):
        if not isinstance(element.tag, str) or element.tag == "textEntryInteraction":
            continue
        _split(element, None, left)
        for child in list(element):
            _split(element, child, left)
    return left


def _split(parent: Element, child: Element | None, left: list[str]) -> None:
    """Split the text before the first child (`child` None) or the tail of a child at its underscores."""
    text = (parent.text if child is None else child.tail) or ""
    place = 0 if child is None else parent.index(child) + 1
    position = 0
    pieces: list[tuple[str, str]] = []
    for found in _LINE.finditer(text):
        if not left:
            break
        pieces.append((text[position : found.start()], found.group()))
        position = found.end()
    if not pieces:
        return
    before = [piece for piece, _ in pieces[1:]] + [text[position:]]
    if child is None:
        parent.text = pieces[0][0]
    else:
        child.tail = pieces[0][0]
    for (_, line), tail in zip(pieces, before, strict=True):
        gap = etree.Element("textEntryInteraction", responseIdentifier=left.pop(0), expectedLength=str(len(line)))
        gap.tail = tail
        parent.insert(place, gap)
        place += 1


@dataclass(frozen=True, slots=True)
class _QtiVersion:
    """What differs between the versions."""

    namespace: str
    templates: str
    template_end: str
    manifest: str
    type: str
    schema: str


VERSIONS = {
    "2.1": _QtiVersion(
        "http://www.imsglobal.org/xsd/imsqti_v2p1", "http://www.imsglobal.org/question/qti_v2p1/rptemplates/", "",
        "http://www.imsglobal.org/xsd/imscp_v1p1", "imsqti_item_xmlv2p1", "QTIv2.1 Package",
    ),
    "2.2": _QtiVersion(
        "http://www.imsglobal.org/xsd/imsqti_v2p2", "http://www.imsglobal.org/question/qti_v2p2/rptemplates/", "",
        "http://www.imsglobal.org/xsd/imscp_v1p1", "imsqti_item_xmlv2p2", "QTIv2.2 Package",
    ),
    "3.0": _QtiVersion(
        "http://www.imsglobal.org/xsd/imsqtiasi_v3p0", "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/", ".xml",
        "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1", "imsqti_item_xmlv3p0", "QTI Package",
    ),
}  # fmt: skip


def write(questions: Iterable[Question], version: str = "3.0") -> ExportedFile:
    """Return a package of items with their pictures; what the items cannot say is named."""
    facts = VERSIONS[version]
    dropped: list[Note] = []
    files: list[PackageFile] = []
    for number, where, question in writable(questions, f"QTI {version}", _can_say, dropped):
        dropped += _dropped_content(where, question)
        path = f"items/{number:04d}.xml"
        pictures = (image for one in [question, *question.parts] for image in one.images)
        images = {f"images/{number:04d}/{image.name}": image.content for image in pictures}
        tags = [*encode_tags(question), *encode_part_tags(question)]
        files.append(PackageFile(path, facts.type, _item(question, number, version), images, tags))
    return ExportedFile(write_zip(files, namespace=facts.manifest, schema=facts.schema), dropped)


write_qti21 = partial(write, version="2.1")
write_qti22 = partial(write, version="2.2")
write_qti30 = partial(write, version="3.0")


def _item(question: Question, number: int, version: str) -> bytes:
    facts = VERSIONS[version]
    root = item_of(question, number, match_template=f"{facts.templates}match_correct{facts.template_end}")
    if version == "3.0":
        for feedback in root.iter("modalFeedback"):
            body = etree.Element("contentBody")
            body.text, feedback.text = feedback.text, None
            for child in list(feedback):
                body.append(child)
            feedback.append(body)
        for element in root.iter():
            if element.tag in _QTI_NAMES:
                element.tag = "qti-" + _kebab(str(element.tag))
                for key, value in list(element.attrib.items()):
                    del element.attrib[key]
                    element.set(_kebab(str(key)), value)
    return to_bytes(root, facts.namespace)


def _can_say(question: Question) -> bool:
    if question.kind is Kind.CASE:
        return bool(question.parts) and all(_can_say(part) for part in question.parts)
    if question.kind is Kind.FILL_BLANK:
        return bool(question.blanks) and all(question.blanks)
    return is_keyed(question)


def _dropped_content(where: str, question: Question) -> list[Note]:
    note = "案例题里的填空小题写进了材料正文，再导入时每一空成为一道小题。"
    parts = enumerate(question.parts, start=1)
    return [Note(f"{where}第 {at} 小题", note, "fill_in_case") for at, part in parts if part.kind is Kind.FILL_BLANK]
