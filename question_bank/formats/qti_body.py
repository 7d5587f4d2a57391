"""Render an item's body as HTML, with tokens where its interactions are."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from examapp.documents.embedded_pictures import media_type_of
from examapp.documents.safe_xml import Element, local
from question_bank.formats.parsed import ParsedQuestion, token
from question_bank.rich import Rich

STEM_CLASS = "bank-stem"
"""The wrapper that the writer puts around a stem, and that is not part of it."""
ANSWER_CLASS = "bank-answer"
"""The paragraph that the writer adds for gaps which find no line in the stem."""

_TOKEN = re.compile("\uf100\\d+\uf101")
_MARKS = re.compile("[\uf100-\uf102]")
_FOLD = re.compile(r"[ \t]*[\r\n]\s*")
_VOID = frozenset({"br", "img", "hr", "col", "wbr"})
_DROPPED = frozenset(
    {"stylesheet", "prompt", "catalogInfo", "companionMaterialsInfo", "script", "style", "catalog", "card", "track"}
)
_MEDIA = frozenset({"audio", "video", "iframe", "embed", "object", "applet"})
_HTML = frozenset(
    {
        "p", "div", "span", "b", "i", "em", "strong", "u", "s", "sub", "sup", "small", "big", "tt", "code", "pre", "kbd", "samp", "var",
        "br", "hr", "img", "a", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption",
        "col", "colgroup", "blockquote", "q", "cite", "dfn", "abbr", "acronym", "address", "h1", "h2", "h3", "h4", "h5", "h6",
        "figure", "figcaption", "section", "article", "header", "footer", "main", "aside", "nav", "ruby", "rb", "rt", "rp", "bdo", "bdi",
        "mark", "time", "ins", "del", "label", "details", "summary", "picture",
    }
)  # fmt: skip


@dataclass(slots=True)
class RenderedBody:
    """What rendering found besides text."""

    interactions: list[Element] = field(default_factory=list)
    feedback: list[tuple[str, Rich]] = field(default_factory=list)
    """Identifier and text of feedback that stood in the body."""
    scorer_notes: list[Rich] = field(default_factory=list)


class QtiRenderer:
    """Turns QTI content into HTML fragments for one item."""

    def __init__(self, parsed: ParsedQuestion) -> None:
        self._parsed = parsed
        self.body = RenderedBody()
        self._in_pre = False
        self._special: dict[str, Callable[[Element], str]] = {
            "math": self._math,
            "feedbackInline": self._feedback_inline,
            "feedbackBlock": self._feedback_block,
            "rubricBlock": self._rubric,
            "infoControl": self._info,
            "printedVariable": self._variable,
        }

    def inner(self, element: Element) -> str:
        """Return the content of an element as HTML."""
        keep = self._in_pre or local(element) == "pre"
        was, self._in_pre = self._in_pre, keep
        parts = [_escape(element.text, keep=keep)]
        for child in element:
            parts.append(self._element(child))
            parts.append(_escape(child.tail, keep=keep))
        self._in_pre = was
        return "".join(parts)

    def rich(self, element: Element) -> Rich:
        """Return the content of an element as rich text."""
        return Rich(self.inner(element).strip(), is_html=True)

    def _element(self, element: Element) -> str:
        name = local(element)
        if not name or name in _DROPPED:
            return ""
        if name.endswith("Interaction"):
            self.body.interactions.append(element)
            return token(len(self.body.interactions) - 1)
        special = self._special.get(name)
        return special(element) if special is not None else self._plain(element, name)

    def _plain(self, element: Element, name: str) -> str:
        if name in _MEDIA:
            source = element.get("data") or element.get("src") or ""
            media_type = element.get("type", "")
            if source and (media_type.startswith("image/") or media_type_of(source) is not None):
                alt = html.escape("".join(str(part) for part in element.itertext()).strip())
                sizes = {key: element.get(key) for key in ("width", "height")}
                size = "".join(f' {key}="{html.escape(value)}"' for key, value in sizes.items() if value)
                return f'<img src="{html.escape(source)}" alt="{alt}"{size}>'
            self._parsed.add_dropped("media_dropped", "音频、视频或嵌入的网页没有保留。请核对题目是否还能作答。")
            return ""
        return self._tag(element) if name in _HTML else self.inner(element)

    def _tag(self, element: Element) -> str:
        name = local(element)
        css = element.get("class", "")
        if css == STEM_CLASS:
            return self.inner(element)
        if css == ANSWER_CLASS:
            return "".join(f"\uf102{part}" for part in self.inner(element).split() if part)
        attributes = "".join(
            f' {key!s}="{html.escape(str(value))}"'
            for key, value in element.attrib.items()
            if re.fullmatch(r"[a-z][a-z-]*", str(key)) and not str(key).startswith(("on", "xml"))
        )
        if name in _VOID:
            return f"<{name}{attributes}>"
        return f"<{name}{attributes}>{self.inner(element)}</{name}>"

    def _math(self, element: Element) -> str:
        self._parsed.add_dropped("math_as_text", "数学公式改成了一行文字，请核对是否正确。")
        return html.escape(math_text(element), quote=False)

    def _feedback_inline(self, element: Element) -> str:
        self.body.feedback.append((element.get("identifier", ""), self.rich(element)))
        return ""

    def _feedback_block(self, element: Element) -> str:
        """Return the content of a feedback block that holds interactions other than hint buttons; else keep it as feedback."""
        before = len(self.body.interactions)
        inner = self.inner(element)
        within = self.body.interactions[before:]
        if any(local(one) != "endAttemptInteraction" for one in within):
            return inner
        del self.body.interactions[before:]
        self.body.feedback.append((element.get("identifier", ""), Rich(_TOKEN.sub("", inner).strip(), is_html=True)))
        return ""

    def _rubric(self, element: Element) -> str:
        views = element.get("view", "candidate").split()
        if "candidate" in views:
            return f"<div>{self.inner(element)}</div>"
        self.body.scorer_notes.append(self.rich(element))
        return ""

    def _info(self, _element: Element) -> str:
        self._parsed.add_dropped("info_dropped", "按钮后面才显示的提示没有保留。")
        return ""

    def _variable(self, _element: Element) -> str:
        self._parsed.add_dropped("variable_dropped", "题目里由系统计算的数值没有保留。请核对题目。")
        return ""


def _escape(text: str | None, *, keep: bool) -> str:
    """Return text as HTML; line ends of the XML's own layout become spaces, save in `pre`."""
    escaped = html.escape(_MARKS.sub("", text or ""), quote=False)
    return escaped if keep else _FOLD.sub(" ", escaped)


_SIGNS = {"\u2062": "", "\u2061": "", "\u2063": "", "\u2064": "+"}


def math_text(element: Element) -> str:
    """Return the formula in one line: `a^2`, `(a+b)/(c)`, `√(x)`."""
    name = local(element).removeprefix("math-")
    if name in {"annotation", "annotation-xml", ""}:
        return ""
    parts = [math_text(child) for child in element]
    say = _SAYERS.get(name)
    if say is not None and len(parts) >= 2:
        return say(parts)
    if name == "msqrt":
        return f"√({''.join(parts)})"
    text = (element.text or "").strip()
    return "".join([_SIGNS.get(text, text), *parts])


def _group(part: str) -> str:
    return part if len(part) <= 1 or part.isalnum() else f"({part})"


_SAYERS: dict[str, Callable[[list[str]], str]] = {
    "mfrac": lambda parts: f"{_group(parts[0])}/{_group(parts[1])}",
    "msup": lambda parts: f"{_group(parts[0])}^{_group(parts[1])}",
    "mover": lambda parts: f"{_group(parts[0])}^{_group(parts[1])}",
    "msub": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}",
    "munder": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}",
    "msubsup": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}^{_group(parts[-1])}",
    "munderover": lambda parts: f"{_group(parts[0])}_{_group(parts[1])}^{_group(parts[-1])}",
    "mroot": lambda parts: f"{_group(parts[1])}√({parts[0]})",
}
