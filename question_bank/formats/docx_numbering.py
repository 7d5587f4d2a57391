"""Follow the automatic numbers of a Word document: what Word shows before each paragraph of a list."""

import re
from dataclasses import dataclass

from examapp.documents.decoding import read_count
from examapp.documents.safe_xml import Element
from question_bank.model import OPTION_LETTERS

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHINESE = "〇一二三四五六七八九"
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    form: str
    text: str


class Numbering:
    """Counts the lists of a document paragraph by paragraph."""

    def __init__(self, numbering: Element | None, styles: Element | None) -> None:
        self.levels: dict[str, dict[int, _Level]] = {}
        self.counts: dict[str, dict[int, int]] = {}
        self.lists: dict[str, str] = {}
        """List number → the abstract list it shares its counter with."""
        self.overridden: dict[str, dict[int, int]] = {}
        self.styles: dict[str, tuple[str, int]] = {}
        if numbering is not None:
            self._read_lists(numbering)
        if styles is not None:
            self._read_styles(list(styles.iterchildren(f"{W}style")))

    def label(self, paragraph: Element) -> str:
        """Return what stands before the paragraph, with a space behind it; nothing for bullets and plain paragraphs."""
        found = self._list_of(paragraph)
        if found is None or found[0] not in self.lists:
            return ""
        number, depth = found
        levels = self.levels.get(self.lists[number], {})
        if (level := levels.get(depth)) is None:
            return ""
        counts = self._count(number, depth, levels)
        if level.form in {"bullet", "none"}:
            return ""
        text = re.sub(r"%(\d)", lambda match: self._shown(levels, counts, int(match[1]) - 1), level.text)
        return f"{text} " if text.strip() else ""

    def _count(self, number: str, depth: int, levels: dict[int, _Level]) -> dict[int, int]:
        counts = self.counts.setdefault(f"list {number}" if number in self.overridden else self.lists[number], {})
        start = self.overridden.get(number, {}).get(depth, levels[depth].start)
        counts[depth] = counts[depth] + 1 if depth in counts else start
        for deeper in [one for one in counts if one > depth]:
            del counts[deeper]
        return counts

    def _shown(self, levels: dict[int, _Level], counts: dict[int, int], depth: int) -> str:
        if (level := levels.get(depth)) is None:
            return ""
        count = counts.get(depth, level.start)
        if level.form in {"upperLetter", "lowerLetter"} and 1 <= count <= len(OPTION_LETTERS):
            letter = OPTION_LETTERS[count - 1]
            return letter if level.form == "upperLetter" else letter.lower()
        if level.form.startswith(("chinese", "japaneseCounting", "ideographTraditional", "taiwanese")):
            if not 0 < count < 100:
                return str(count)
            tens, ones = divmod(count, 10)
            ten = "" if tens == 0 else "十" if tens == 1 else f"{_CHINESE[tens]}十"
            return ten + (_CHINESE[ones] if ones else "")
        if level.form.startswith("decimalEnclosedCircle") and 1 <= count <= len(CIRCLED):
            return CIRCLED[count - 1]
        return str(count)

    def _list_of(self, paragraph: Element) -> tuple[str, int] | None:
        own = paragraph.find(f"{W}pPr/{W}numPr")
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        inherited = self.styles.get(style.get(f"{W}val", "")) if style is not None else None
        if own is None:
            return inherited
        number, depth = own.find(f"{W}numId"), own.find(f"{W}ilvl")
        listed = number.get(f"{W}val", "") if number is not None else (inherited[0] if inherited else "")
        return (listed, _int(depth, 0)) if listed not in {"", "0"} else None

    def _read_styles(self, styles: list[Element]) -> None:
        """Note the list of each style: its own, or that of the nearest style that it is based on."""
        bases: dict[str, str] = {}
        for style in styles:
            name, based = style.get(f"{W}styleId", ""), style.find(f"{W}basedOn")
            listed = style.find(f"{W}pPr/{W}numPr/{W}numId")
            if listed is not None:
                depth = style.find(f"{W}pPr/{W}numPr/{W}ilvl")
                self.styles[name] = (listed.get(f"{W}val", ""), _int(depth, 0))
            elif based is not None:
                bases[name] = based.get(f"{W}val", "")
        for name, parent in bases.items():
            seen, base = {name}, parent
            while base in bases and base not in seen:
                seen.add(base)
                base = bases[base]
            if base in self.styles:
                self.styles[name] = self.styles[base]

    def _read_lists(self, numbering: Element) -> None:
        for abstract in numbering.iterchildren(f"{W}abstractNum"):
            levels = {read_count(level.get(f"{W}ilvl")): _level(level) for level in abstract.iterchildren(f"{W}lvl")}
            self.levels[abstract.get(f"{W}abstractNumId", "")] = levels
        for listed in numbering.iterchildren(f"{W}num"):
            number, link = listed.get(f"{W}numId", ""), listed.find(f"{W}abstractNumId")
            self.lists[number] = link.get(f"{W}val", "") if link is not None else ""
            for override in listed.iterchildren(f"{W}lvlOverride"):
                start = override.find(f"{W}startOverride")
                if start is not None:
                    depth = read_count(override.get(f"{W}ilvl"))
                    self.overridden.setdefault(number, {})[depth] = _int(start, 1)


def _level(level: Element) -> _Level:
    start, form, text = level.find(f"{W}start"), level.find(f"{W}numFmt"), level.find(f"{W}lvlText")
    shown = "" if text is None else text.get(f"{W}val", "")
    return _Level(_int(start, 1), "decimal" if form is None else form.get(f"{W}val", "decimal"), shown)


def _int(element: Element | None, default: int) -> int:
    return default if element is None else read_count(element.get(f"{W}val"), default)
