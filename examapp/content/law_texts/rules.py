"""How laws and their articles are named: one spelling for each, whatever a file wrote."""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath

from examapp.documents.archives import UnreadableFileError
from examapp.documents.html import normalise
from examapp.errors import DomainError
from question_bank.model import PICTURE

_DIGITS = "零一二三四五六七八九"
_UNITS = ((1000, "千"), (100, "百"), (10, "十"))
_SIGN = "[零〇一二三四五六七八九两]"
_NUMBER = rf"(?:[\d０-９]{{1,4}}|{_SIGN}{{1,4}}|(?:{_SIGN}{{0,2}}[千百十]){{1,3}}{_SIGN}{{0,2}})"
"""Short, so that a position made of it fits a column, whatever a file holds."""
ARTICLE = re.compile(rf"第({_NUMBER})条(?:之({_NUMBER}))?")
_PLAIN_DIGITS = str.maketrans("０１２３４５６７８９〇两", "0123456789零二")
_FULL_NAME = "中华人民共和国"


def law_name(text: str) -> str:
    """Give the short name of a law: without 《》, without 中华人民共和国, without a year behind it."""
    name = re.sub(r"[《》〈〉\s]", "", text)
    name = re.sub(r"[（(]\d{4}[^）)]*[）)]$", "", name)
    return name.replace(_FULL_NAME, "") or name


def article_labels(text: str) -> list[str]:
    """List the articles that a citation names, each once, as `第三十二条` or `第一百二十条之一`."""
    labels = [_label(number, branch) for number, branch in ARTICLE.findall(text)]
    return list(dict.fromkeys(labels))


def article_label(text: str) -> str:
    """Give the one spelling of an article's name: 第32条之1 is `第三十二条之一`; the text as it is where it names none."""
    found = ARTICLE.match(text)
    return _label(found[1], found[2] or "") if found else text


def article_position(label: str) -> int:
    """Give where an article stands in its law, branches behind their article."""
    found = ARTICLE.match(label)
    return number_of(found[1]) * 100 + (number_of(found[2]) if found[2] else 0) if found else 0


def _label(number: str, branch: str) -> str:
    return f"第{chinese_number(number_of(number))}条" + (f"之{chinese_number(number_of(branch))}" if branch else "")


def number_of(text: str) -> int:
    """Read a whole number below ten thousand, in digits or in Chinese."""
    text = text.translate(_PLAIN_DIGITS)
    if text.isdigit():
        return int(text)
    total = current = 0
    units = {sign: value for value, sign in _UNITS}
    for sign in text:
        if sign in units:
            total += (current or 1) * units[sign]
            current = 0
        else:
            current = current * 10 + _DIGITS.index(sign)
    return total + current


def chinese_number(value: int) -> str:
    """Write a whole number as laws do, from ten thousand on in digits: 三十二, 一百零五, 一千二百六十."""
    if value >= 10_000:
        return str(value)
    text, rest, is_gap = "", value, False
    for unit, sign in _UNITS:
        digit, rest = divmod(rest, unit)
        if digit:
            text += ("零" if is_gap else "") + _DIGITS[digit] + sign
            is_gap = False
        elif text:
            is_gap = True
    if rest or not text:
        text += ("零" if is_gap and text else "") + _DIGITS[rest]
    return text.removeprefix("一") if text.startswith("一十") else text


def iso_day(text: str | None) -> date | None:
    """Read a day written as 2021-01-22, 2021年1月22日 or 2021/1/22; None for anything else."""
    found = re.search(r"(\d{4})\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})", text or "")
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MAX_UNPACKED = 24 * 1024 * 1024
"""The longest code has half a million characters, and its document unpacks to 8 MB."""


class UnreadableDocumentError(Exception):
    """A file without text that can be read; the message says in Chinese what to do."""


def document_lines(content: bytes) -> list[str]:
    """Give the lines of a file, made canonical and visible; raises UnreadableDocumentError."""
    if content.startswith((_ZIP, _OLE)):
        return [normalise(part) for line in _word_lines(content) for part in line.split("\n")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    return _COMMENT.sub("", normalise(text.replace("\r\n", "\n").replace("\r", "\n"))).split("\n")


def _word_lines(content: bytes) -> list[str]:
    from question_bank.formats import docx

    try:
        if content.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > _MAX_UNPACKED:
                    raise UnreadableDocumentError("Word 文件太大，不像一部法律的文本。请删去图片后再导入。")
        return list(docx.document_lines(content))
    except UnreadableFileError as error:
        raise UnreadableDocumentError(str(error)) from error
    except zipfile.BadZipFile as error:
        raise UnreadableDocumentError("Word 文件已损坏。请重新下载后再导入。") from error


_HEADING = re.compile(r"^(?:#{2,6}\s*)?(第[零〇一二三四五六七八九十百\d]+(?:分编|编|章|节)(?:[\s　]+.*)?|附\s*则)$")
_MARKDOWN_HEADING = re.compile(r"^#{2,6}\s*(.*)$")
_LEVELS = ("编", "分编", "章", "节")
_ARTICLE_LINE = re.compile(rf"^\*{{0,2}}({ARTICLE.pattern})\*{{0,2}}[\s　]+(.*)$")
_ITEM_LINE = re.compile(r"^(条目([一二三四五六七八九十百]{1,5}))[\s　]+(.*)$")
"""An amendment's items, as one source writes them."""
_FIELD = re.compile(r"^(公布/修正日期|公布日期|施行日期|版本日期)[：:]\s*(.*)$")
_PASSED = re.compile(r"通过|修订|修正|公布|发布|批准")
_DATE = re.compile(r"\d{4}\s*[-年/.]\s*\d{1,2}\s*[-月/.]\s*\d{1,2}\s*日?")
_TITLE_END = re.compile(r"(?:法|法典|条例|规定|办法|细则|规则|决定|解释|修正案|通则|准则|规程|[）)])$")
_PAGE = re.compile(r"[\t.…·]+\s*\d+$")
"""The page that a table of contents gives behind a chapter's name."""
_TIGHT = re.compile(rf"^({ARTICLE.pattern})(?![规定的、和至或第中所及以，,。；])(\S.*)$")
"""An article's name with its text right behind it."""
_ANNEX = re.compile(r"^(?:#{1,6}\s*)?附件(?:[一二三四五六七八九十\d]|[:：]|$)")
MAX_BYTES = 8 * 1024 * 1024
FIRST_EFFECTIVE_DAY = "文件中的施行日期早于版本日期，是首次施行的日期，没有采用；请补填本版本的施行日期。"
"""Remark on a file that leaves open from when its version is in force."""


class UnreadableLawError(DomainError):
    """A file that holds no law's text; the message says what to do."""

    code = "unreadable_law"
    status = 400
    message = "文件里没有找到法律条文。条文应写成“第一条　……”，每条另起一行。"


@dataclass(slots=True)
class ReadArticle:
    """An article: its label, the chapter and section it stands in, its text with a line a paragraph."""

    label: str
    position: int
    heading: str
    text: str


@dataclass(slots=True, kw_only=True)
class LawText:
    """A law's text as a file gives it; `remarks` say in Chinese what was not certain."""

    name: str
    version_on: date
    effective_on: date | None
    note: str = ""
    """By whom and when it was passed and amended, as the text says below its title."""
    preamble: str = ""
    articles: list[ReadArticle] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_law_text(content: bytes, file_name: str) -> LawText:
    """Read a text, Markdown or Word file; raises UnreadableLawError without articles, a title or a version's date."""
    if len(content) > MAX_BYTES:
        raise UnreadableLawError("文件超过 8 MB，不像一部法律的文本。请核对后再导入。")
    reader = _LawTextReader(file_name)
    try:
        for line in document_lines(content):
            reader.take(line.strip(" \t　"))
    except UnreadableDocumentError as error:
        raise UnreadableLawError(str(error)) from error
    return reader.result()


class _LawTextReader:
    """Takes a file's lines one by one."""

    def __init__(self, file_name: str) -> None:
        self._stem = PurePath(file_name).stem
        self._title = ""
        self._dates: dict[str, str] = {}
        self._info: list[str] = []
        self._headings: dict[str, str] = {}
        self._preamble: list[str] = []
        self._articles: list[ReadArticle] = []
        self._remarks: list[str] = []
        self._is_annex = False
        self._is_body = False

    def take(self, line: str) -> None:
        if PICTURE in line:
            self._remarks.append("文件里的图片没有导入。")
            line = line.replace(PICTURE, "").strip()
        if not line or self._is_annex:
            return
        if not self._title:
            self._title = line.lstrip("# ")
        elif self._continues_title(line):
            self._title += line
        elif found := _FIELD.match(line):
            self._dates[found[1]] = found[2]
        elif article := _ARTICLE_LINE.match(line) or self._tight(line):
            label = article_label(article[1])
            self._add(label, article_position(label), article[4])
        elif item := _ITEM_LINE.match(line):
            self._add(item[1], number_of(item[2]) * 100, item[3])
        elif _ANNEX.match(line):
            self._is_annex = True
            self._remarks.append("附件没有导入，只导入了条文。")
        else:
            self._take_between(line)

    def _take_between(self, line: str) -> None:
        """Take a line that is no article: a heading, a preamble, a note, or more of the article before it."""
        bare = re.sub(r"[\s　]+", "", line)
        if bare == "目录" or (bare == "序言" and not self._articles):
            self._is_body = self._is_body or bare == "序言"
        elif heading := _HEADING.match(_PAGE.sub("", line)):
            self._enter(_heading(heading[1]))
        elif heading := _MARKDOWN_HEADING.match(line):
            self._enter(heading[1].strip())
        elif line.startswith("# "):
            self._headings = {"编": line.removeprefix("# ")}
        else:
            self._take_text(line)

    def _continues_title(self, line: str) -> bool:
        """Whether a title in two lines goes on."""
        is_open = not (self._info or self._dates or self._is_body or self._articles or _TITLE_END.search(self._title))
        return is_open and len(line) < 40 and bool(_TITLE_END.search(line)) and not _DATE.search(line)

    def _tight(self, line: str) -> re.Match[str] | None:
        """An article whose text stands right behind its name, where it is the next one; a mere reference is none."""
        found = _TIGHT.match(line)
        if found is None:
            return None
        before = self._articles[-1].position if self._articles else 0
        here = article_position(article_label(found[1]))
        return found if here in {before + 1, (before // 100 + 1) * 100} else None

    def _enter(self, heading: str) -> None:
        self._is_body = True
        found = re.match(r"第[^编章节分]+(分编|编|章|节)", heading)
        level = found[1] if found else "章"
        for lower in _LEVELS[_LEVELS.index(level) :]:
            self._headings.pop(lower, None)
        if heading:
            self._headings[level] = heading

    def _take_text(self, line: str) -> None:
        if self._articles:
            self._articles[-1].text += f"\n{line}"
        elif self._is_info(line):
            self._info.append(line)
        elif self._is_body:
            self._preamble.append(line)
        elif self._is_note_open():
            self._info[-1] += line
        else:
            self._preamble.append(line)

    def _is_note_open(self) -> bool:
        """Whether the note below the title is broken off within a bracket, so that it goes on in the next line."""
        note = "".join(self._info)
        return any(note.count(opening) > note.count(closing) for opening, closing in ("（）", "《》"))

    def _is_info(self, line: str) -> bool:
        is_dated = _DATE.search(line) and (_PASSED.search(line) or "施行" in line)
        return not self._is_body and (bool(is_dated) or line.startswith(("数据标注时效", "制定机关", "（")))

    def _add(self, label: str, position: int, text: str) -> None:
        if any(article.label == label for article in self._articles[-400:]):
            self._remarks.append(f"{label}出现两次，只保留第一次出现的。")
            return
        heading = " / ".join(self._headings[level] for level in _LEVELS if level in self._headings)
        self._articles.append(ReadArticle(label, position, heading, text.strip()))

    def result(self) -> LawText:
        if not self._articles:
            raise UnreadableLawError
        name = law_name(re.sub(r"[（(]\d{4}-\d{2}-\d{2}[)）]$", "", self._title))
        version_on = self._version_on()
        if version_on is None:
            raise UnreadableLawError("没有找到版本日期。请在文件名里写明，如“行政处罚法(2021-01-22).txt”。")
        effective_on = self._effective_on(version_on)
        self._remarks += [*_gaps(self._articles), *_other_name(self._stem, name)]
        return LawText(
            name=name,
            version_on=version_on,
            effective_on=effective_on,
            note="\n".join(self._info),
            preamble="\n".join(self._preamble),
            articles=self._articles,
            remarks=self._remarks,
        )

    def _version_on(self) -> date | None:
        named = re.search(r"[（(](\d{4}-\d{2}-\d{2})[)）]", self._stem)
        packed = re.search(r"_(\d{4})(\d{2})(\d{2})(?!\d)", self._stem)
        said = [day for day, text in self._said() if _PASSED.search(text)]
        if named or packed:
            return iso_day(named[1] if named else "-".join(packed.groups()) if packed else None)
        return iso_day(self._dates.get("版本日期")) or (max(said) if said else None)

    def _said(self) -> Iterator[tuple[date, str]]:
        """Give the days that stand below the title, each with the words up to the next."""
        for line in self._info:
            found = list(_DATE.finditer(line))
            for place, one in enumerate(found):
                end = found[place + 1].start() if place + 1 < len(found) else len(line)
                day = iso_day(one[0])
                if day is not None:
                    yield day, line[one.end() : end]

    def _effective_on(self, version_on: date) -> date | None:
        said = [day for day, text in self._said() if re.search("施行|实施", text) and not _PASSED.search(text)]
        if re.search(r"自(?:公布|发布)之日起(?:施行|实施)", self._articles[-1].text):
            said.append(version_on)
        own = re.search(r"自(\d{4}年\d{1,2}月\d{1,2}日)起施行", self._articles[-1].text)
        candidates = [iso_day(self._dates.get("施行日期")), *said, iso_day(own[1]) if own else None]
        later = [day for day in candidates if day is not None and day >= version_on]
        if later:
            return later[0]
        if any(candidates):
            self._remarks.append(FIRST_EFFECTIVE_DAY)
        return None


def _heading(text: str) -> str:
    """A chapter's name as one writes it: `第一章 总则` for 第一章　总　　则."""
    first, *rest = re.split(r"[\s　]+", text)
    return f"{first} {''.join(rest)}" if rest and first.startswith("第") else first + "".join(rest)


def _gaps(articles: list[ReadArticle]) -> Iterator[str]:
    """Say which articles are missing between others, so that a text with a hole is not taken for whole."""
    labels = [article.label for article in articles if article.label.startswith("第")]
    for before, after in itertools.pairwise(labels):
        if missing := missing_between(before, after):
            yield f"缺少{missing}：{before}之后就是{after}，请核对原文。"


def missing_between(before: str, after: str) -> str:
    """Name the articles that lie between two that follow each other: `第五条`, `第五条至第七条`; empty for none."""
    first, last = article_position(before) // 100 + 1, article_position(after) // 100 - 1
    if first > last:
        return ""
    until = f"至第{chinese_number(last)}条" if last > first else ""
    return f"第{chinese_number(first)}条{until}"


def _other_name(stem: str, name: str) -> Iterator[str]:
    """Say that a file's name names another law than its title."""
    named = law_name(re.sub(r"(?:[（(]\d{4}-\d{2}-\d{2}[)）]|_\d{8}.*)$", "", stem))
    if _TITLE_END.search(named) and named not in name and name not in named:
        yield f"文件名写的是《{named}》，正文标题是《{name}》，按标题导入，请核对是否拿错了文件。"
