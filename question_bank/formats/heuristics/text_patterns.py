"""Recognise lines of question texts: numbers, headings, labels."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from examapp.documents.decoding import clean_text
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.answers import looks_like_key
from question_bank.formats.heuristics.stems import split_options
from question_bank.formats.heuristics.text_spellings import unify_spellings
from question_bank.model import Kind

_TABLE_ROW = re.compile(r"^(?:[\u4e00-\u9fff]{0,6}题号|题目序号|序号|答案|参考答案|正确答案)\s*[:：]?\t")
_PLAIN_KEY = re.compile(r"(?:\d{1,4}\s*[.、．:：)）]?\s*)?(?:[A-ZＡ-Ｚ]{1,8}|[√×✓✗对错]|正确|错误)?")
_INNER_NUMBER = re.compile(r"(?<=[\s。；;）)\u4e00-\u9fff])(\d{1,5})\s*[.．、](?!\d)")
_MARKDOWN = re.compile(r"^#{1,6}\s+|^>\s+|^[-*•·]\s+(?=(?:\*\*)?(?:[(（]?[A-HＡ-Ｈ][.．、:：)）]|\d{1,4}[.．、]))")
"""Signs of Markdown that say nothing about a question."""
_RULE = re.compile(r"\s*(?:(?:-[ \t]?){3,}|(?:\*[ \t]?){3,}|[—－=─━]{3,}|[▼▲▽△◆◇★☆■●•·~～]{2,})\s*")
"""A line that divides, of Markdown or drawn by hand: as good as a blank one."""
_IS_MARKDOWN = re.compile(r"^\s*(?:#{1,6}\s+\S|(?:[-*]\s+)?\*\*[^\s*].*?[^\s*]\*\*)", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n]+?)(?<=\S)\*\*")
"""Words between stars: only in a text that is Markdown, for `张**和李**` are names."""
_FIELD = re.compile(r"^(?:(?:题目|题干|试题)\s*[:：]\s*(?=\S)|选项\s*[:：]\s*(?=[(（]?A))")
_OPTION_FIELD = re.compile(r"^选项\s*([A-H])\s*[:：.、]\s*")
"""Names of fields that some programs print before a question's texts."""
NEAR = 1500
"""Characters before and behind a number that are looked at when a line holds several questions."""
_KEY_END = re.compile(r"[(（]\s*(?:[A-Z、,，\s]{1,15}|[√×✓✗对错]|正确|错误)\s*[)）]\s*[。.；;]?\s*$")


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line without its outer spaces, and its number in the file."""

    number: int
    text: str


def to_lines(text: str) -> list[TextLine]:
    """Return the lines of a text; fields divided by tabs and questions run together come apart, blank lines stay."""
    lines: list[TextLine] = []
    text = unify_spellings(_BOLD.sub(r"\1", text) if _IS_MARKDOWN.search(text) else text)
    for number, parsed in enumerate(text.split("\n"), 1):
        for piece in _fields("" if _RULE.fullmatch(parsed) else parsed):
            plain = _OPTION_FIELD.sub(r"\1. ", _FIELD.sub("", _MARKDOWN.sub("", clean_text(piece))))
            lines.extend(TextLine(number, part) for part in _several(plain))
    return lines


def _fields(parsed: str) -> list[str]:
    if "\t" not in parsed.strip():
        return [parsed]
    fields = [field.strip() for field in parsed.split("\t") if field.strip()]
    if _TABLE_ROW.match(parsed.strip()) or all(_PLAIN_KEY.fullmatch(field) for field in fields):
        return [" ".join(fields)]
    return fields


def _several(text: str) -> list[str]:
    """Return the questions of a line that holds several, each with its number; else the line itself."""
    number = read_number(text) if len(text) > 12 else None
    if number is None or number.style not in {"mark", "loose"}:
        return [text]
    pieces: list[str] = []
    value, start = number.value, 0
    for match in _INNER_NUMBER.finditer(text, 1):
        if int(match[1]) != value + 1:
            continue
        piece = text[max(start, match.start() - NEAR) : match.start()]
        if (len(split_options(piece)[1]) >= 2 or bool(_KEY_END.search(piece))) and _begins(
            text[match.end() : match.end() + NEAR]
        ):
            pieces.append(text[start : match.start()].strip())
            start, value = match.start(), value + 1
    return [*pieces, text[start:].strip()]


def _begins(rest: str) -> bool:
    if looks_like_key(rest[:12]):
        return False
    return len(split_options(rest)[1]) >= 2 or bool(re.search(r"[(（][A-Z√×✓✗对错正确误、,，\s]{1,15}[)）]", rest))


CHINESE = "一二三四五六七八九十"
_NUMERAL = rf"(?:\d{{1,4}}|[{CHINESE}]{{1,3}})"

ANSWER_LABEL = r"(?:参考答案要点|正确答案|参考答案|标准答案|试题答案|本题答案|答案|标答|正确选项|参考要点|参考思路|答题要点|答案要点|答题思路|作答思路|评分要点|参考作答|参考解答)"
ANALYSIS_LABEL = (
    r"(?:答案解析|试题解析|题目解析|参考解析|解析|详解|说明|解题思路|分析|理由|解答|依据|法律依据|点评|解释|答题解析)"
)
_META_LABEL = r"(?:(?:试题|题目|本题)(?=难|分|知|考))?(?:难度系数|难度等级|难度级别|试题难度|题目难度|难度|难易度|难易程度|知识点|考点|分值|分数|题型|题目类型|试题类型|所属章节|章节)"

_ANSWER = re.compile(
    rf"^(?:[【\[〔〖]\s*{ANSWER_LABEL}\s*[】\]〕〗]\s*[:：]?\s*(?P<a>.*)"
    rf"|[【\[〔〖]\s*{ANSWER_LABEL}\s*[:：]\s*(?P<b>[^】\]〕〗]*)[】\]〕〗]\s*(?P<rest>.*)"
    rf"|[(（]\s*{ANSWER_LABEL}\s*[:：]?\s*(?P<f>[^()（）]*)[)）]\s*[。.]?$"
    rf"|(?:故|应|本题|因此|所以)?(?:应?选|{ANSWER_LABEL}(?:应?为|是|应选|选))\s*[:：]?\s*(?P<g>[A-HＡ-Ｈ](?:[、,，\s]?[A-HＡ-Ｈ]){{0,7}}|正确|错误|[√×✓✗✔✘对错是否]|[^，,。；;！!？?：:]{{2,30}}(?=[。.]?$))\s*[。.]?$"
    rf"|{ANSWER_LABEL}(?:应?为|是)\s*[:：]\s*(?P<h>.*)"
    rf"|{ANSWER_LABEL}\s*(?P<sign>[:：,，、.．;；→=＝]|\s|(?=[(（]))\s*(?P<c>.*)"
    rf"|{ANSWER_LABEL}(?P<bare>[A-ZＡ-Ｚ√×对错]+)"
    rf"|答\s*[:：]\s*(?P<d>.*)|(?i:answer)\s*[:：]\s*(?P<e>.*)|{ANSWER_LABEL}$)",
    re.DOTALL,
)
_WRAPPED = re.compile(
    rf"^(?:[\[【]\s*(?P<a>[^\[\]【】\"“]{{2,}}?)\s*[\]】]|[(（]\s*(?![{CHINESE}]+\s*[)）])(?P<b>[^()（）]{{2,}}?)\s*[)）])[。；;.]?$",
    re.DOTALL,
)
"""An answer in words within brackets that hold nothing else: `答案：[人民]`."""
_ANALYSIS = re.compile(
    rf"^(?:[【\[〔〖]\s*{ANALYSIS_LABEL}\s*[】\]〕〗]\s*[:：]?|{ANALYSIS_LABEL}\s*[:：]|(?:答案|试题)?解析(?=\s|$))\s*(?P<text>.*)",
    re.DOTALL,
)
FOREIGN = re.compile(
    r"^[【\[]?\s*(?:(?:我|你|您|考生|学生|学员|用户|本人)的?(?:答案|选择|作答)|作答结果|(?:本题|我的)?得分)\s*(?:[】\]]\s*[:：]?|[:：])"
)
"""What a platform prints of a candidate's answer and marks beside a question."""
_META = re.compile(rf"^[【\[]?\s*(?P<name>{_META_LABEL})\s*(?:[】\]]\s*[:：]?|[:：])\s*(?P<text>.*)")
INLINE_LABEL = re.compile(
    rf"[【\[〔〖]\s*(?:{ANSWER_LABEL}|{ANALYSIS_LABEL})\s*(?:[】\]〕〗]|[:：])"
    rf"|(?:(?<=[\s。.；;）)】\]])|(?<=[A-Z√×对错])){ANALYSIS_LABEL}\s*[:：]"
    rf"|(?<=[\s。.；;）)】\]？?]){ANSWER_LABEL}\s*[:：]|(?<=\s)[(（]\s*{ANSWER_LABEL}\s*[:：](?=[^()（）]*[)）]\s*$)"
    rf"|(?<=\s\s){ANSWER_LABEL}\s*(?=[A-HＡ-Ｈ√×✓✗对错]{{1,8}}\s*$)"
    rf"|(?<=\s){_META_LABEL}\s*[:：]"
    r"|[【\[]?(?:(?:我|你|您|考生|学生|学员)的?答案|(?<=[\s；;])得分)\s*[】\]]?\s*[:：]|【(?:我|你|您|考生|学生)的?答案】"
)
GLUED_ANSWER = re.compile(
    r"(?:正确答案|参考答案|标准答案|答案)\s*[:：]\s*(?=[A-HＡ-Ｈ](?:[\s、,，]?[A-HＡ-Ｈ])*\s*(?:$|[\s。;；]))"
)
"""An answer that follows the last option's words without a space."""

BOXED_ANSWER = re.compile(rf"[(（【\[]\s*{ANSWER_LABEL}\s*[:：]?\s*[^()（）【】\[\]]{{1,30}}[)）】\]]\s*[。.]?$")
"""An answer in brackets right behind the last option's words: `D.县妇联（答案：B）`."""

_NUMBER_FORMS = (
    ("word", re.compile(rf"^第\s*(?P<n>{_NUMERAL})\s*(?:道题|个问题|小题|题|问)\s*[.．、:：,，]?\s*(?P<rest>.*)", re.DOTALL)),
    ("word", re.compile(rf"^[【\[(（〔]\s*第\s*(?P<n>{_NUMERAL})\s*(?:道题|小题|题)\s*[】\])）〕]\s*[.．、:：]?\s*(?P<rest>.*)", re.DOTALL)),
    ("word", re.compile(r"^(?:题|[Qq])\s*(?P<n>\d{1,4})\s*[:：.、．]\s*(?P<rest>.*)", re.DOTALL)),
    ("kind", re.compile(r"^[【\[(（]?(?P<kind>[\u4e00-\u9fff]{2,6})[】\])）]?\s*(?P<n>\d{1,4})\s*[:：.、．]\s*(?P<rest>.*)", re.DOTALL)),
    ("word", re.compile(rf"^(?:问题|题目|试题)\s*(?P<n>{_NUMERAL})\s*[:：.、．]\s*(?P<rest>.*)", re.DOTALL)),
    ("mark", re.compile(r"^[【\[](?P<n>\d{1,4})[】\]]\s*[.、．]?\s*(?P<rest>.*)", re.DOTALL)),
    ("mark", re.compile(r"^(?P<n>\d{1,5})\s*(?:[.．](?!\d)|[.．](?=\d{1,4}\s*[年月日个名])|(?<=[\s])[.．](?=\d)|、|[:：。](?!\d)|[)）])\s*(?P<rest>.*)", re.DOTALL)),
    ("mark", re.compile(r"^(?P<n>\d{1,4})(?=\s*[【\[])(?P<rest>.*)", re.DOTALL)),
    ("mark", re.compile(r"^(?P<n>[⒈-⒛])\s*(?P<rest>.*)", re.DOTALL)),
    ("bare", re.compile(r"^(?P<n>\d{1,6})(?P<rest>)$")),
    ("paren", re.compile(r"^(?P<n>[①-⑳⑴-⒇])\s*[.、．]?\s*(?P<rest>\S.*)", re.DOTALL)),
    ("loose", re.compile(r"^(?P<n>\d{1,4})\s*[,，](?!\d)\s*(?P<rest>[\u4e00-\u9fff《“(（].*)", re.DOTALL)),
    ("paren", re.compile(r"^[(（](?P<n>\d{1,3})[)）]\s*(?P<rest>.*)", re.DOTALL)),
    ("loose", re.compile(r"^(?P<n>\d{1,4})\s+(?P<rest>\S.*)", re.DOTALL)),
    ("loose", re.compile(r"^(?P<n>\d{1,3})(?P<rest>[\u4e00-\u9fff《“(（].*)", re.DOTALL)),
    ("chinese", re.compile(rf"^(?P<n>[{CHINESE}]{{1,3}})\s*[、.．]\s*(?P<rest>.*)", re.DOTALL)),
)  # fmt: skip
GLUED_NUMBER = re.compile(
    r"^(?P<n>\d{1,4})[.．,，。](?P<rest>\d{1,12}(?:\.\d{1,2})?(?![\d.．]).*[\u4e00-\u9fff].*)", re.DOTALL
)
"""A number without a space before a stem that begins with digits: `2.24小时内应当…`."""
_UNITS = re.compile(
    r"^(?:年|月|日|号|个|项|条|岁|元|人|名|天|小时|分钟|秒|万|亿|千|百|级|倍|次|种|类|周|米|公里|吨|％|%|分|楼|届|章|款|页)"
)

_HEADING = re.compile(
    rf"^(?:第\s*{_NUMERAL}\s*(?P<part>部分|卷|章|节|篇|编|单元|大题)\s*[:：、.．]?\s*(?P<a>.*)"
    rf"|[{CHINESE}]{{1,3}}\s*[、.．:：]\s*(?P<b>.+)|[(（][{CHINESE}]{{1,3}}[)）]\s*[、.．]?\s*(?P<c>.+)|(?P<d>\S.{{0,60}}))$"
)
_DECORATION = " ※★☆◆◇■□●▲△~=＝-—－"
_SCORES = re.compile(r"\s*(?:[(（][^()（）]*[)）]?|[:：,，]?\s*(?:共|每小?题|本题|计|本大题).*|\d+\s*[道个小]?题.*)$")
_TITLE_ENDS = re.compile(
    r"(?:题|部分|测试区|样本|知识|常识|判断|理解|表达|关系|推理|分析|能力|面试|理论|区|法律|法规|条例|素养|应用文|概论|基础)$"
)
_ANSWER_HEAD = re.compile(
    rf"^(?:附件?\d*[:：]?\s*)?(?:[{CHINESE}]{{1,3}}[、.．]\s*|第\s*{_NUMERAL}\s*部分\s*[、.．:：]?\s*)?[【\[〔(（]?\s*(?P<name>(?:[^\s(（]|[(（][^\s()（）]*[)）]){{0,20}}?(?:集中答案|集中解析|参考答案|标准答案|正确答案|试题答案|答案)"
    r"(?:[与及和、]?(?:试题)?(?:解析|详解|评分标准|评分细则|评分参考|评分说明|说明))?(?:区|部分|汇总|一览|一览表|表)?|集中解析|解析区|解析部分|答案速查)\s*(?:[(（][^()（）]*[)）])?\s*[】\]〕)）]?\s*(?P<colon>[:：]?)$"
)
ANSWER_TABLE = re.compile(r"^(?:题号|序号|编号|题目序号)\s+(?:正确|参考|标准)?答案(?:\s+\S{1,6}){0,3}$")
"""The head of a table of answers, a question a row."""
_ASKS_FOR_ANSWER = re.compile(
    r"(?:只有|选出|请选择|找出|给出|填写|写出|填入|填在|个以上|[一两二多]个|唯一|没有).{0,8}答案"
)
"""What an instruction or a stem says of answers, where an answer section's head only names them."""
_LAW_HEADING = re.compile(
    rf"^(?P<mark>(?:第\s*{_NUMERAL}\s*(?:部分|章|节|篇|编|单元)|[{CHINESE}]{{1,3}}(?=[、.．])|[(（][{CHINESE}]{{1,3}}[)）])\s*[、.．:：]?\s*)?"
    r"(?:《(?P<title>[^《》]{2,40})》|(?P<name>[\u4e00-\u9fff（）()、]{1,40}(?:法|法典|条例|规定|办法|细则|准则|规则|党章|章程)))"
    r"\s*(?:题库|试题|习题|部分|测试题)?\s*(?:[(（][^()（）]{0,20}[)）])?\s*[:：]?$"
)
"""A line that is the name of a law: in its signs, or behind a number of its own."""
_SUBHEADING = re.compile(
    rf"^(?:[(（][{CHINESE}]{{1,3}}[)）]\s*[、.．]?|[{CHINESE}]{{1,3}}\s*[、.．]|第\s*[{CHINESE}\d]{{1,3}}\s*[章节篇编单元部分讲课]{{1,2}})\s*[:：]?\s*(?P<title>[^。？?！!；;，,：:_=]{{2,24}})$"
)
"""A short line with a Chinese number: a heading where the questions count on below it."""
LAW_BEFORE = re.compile(r"^《(?P<law>[^《》]{2,40})》\s*")
"""A law before the kind in a heading: `《行政处罚法》单选题`."""
_MATERIAL_RANGE = re.compile(
    r"^[(（【\[]?.{0,30}?(?:(?:回答|完成|做)\s*(?:第|下面|下列|以下)?\s*(?P<a>\d{1,4})\s*[-—–~～至到、]+\s*(?P<b>\d{1,4})\s*(?:小?题|问)?"
    r"|第?(?P<c>\d{1,4})\s*[-—–~～至到]+\s*(?P<d>\d{1,4})\s*小?题?\s*(?:共用|共享|同一|依据|根据|基于).{0,20}).{0,20}$"
)
_MATERIAL = re.compile(
    rf"^(?:[【\[]?(?:材料|资料|背景材料|案情|案例)\s*[{CHINESE}\d]{{0,3}}\s*[】\]]?\s*[:：]\s*(?P<text>.*)"
    rf"|(?:材料|资料|案例)\s*[{CHINESE}\d]{{1,3}}\s*$|(?:材料|资料|案例)\s*[{CHINESE}\d]{{1,3}}\s+(?P<apart>\S.{{14,}})|[【\[](?:材料|资料|背景材料|案情|案例)\s*[{CHINESE}\d]{{0,3}}[】\]]\s*(?P<behind>.*)"
    r"|[【\[(（]?(?:共用题干|公共题干|材料题)[】\])）]?\s*[:：]?\s*(?P<more>.*)"
    r"|(?:根据|阅读|结合|依据)(?:以下|下列|下面|上述)?.{0,8}(?:材料|资料|案例|案情|短文).{0,12}(?:回答|完成).{0,12}[:：。.]?)$"
)
CASE_MARK = re.compile(rf"^[(（][{CHINESE}]{{1,3}}[)）]\s*[、.．]?\s*(?P<text>\S.{{14,}})$", re.DOTALL)
ABOUT_CASES = re.compile(r"案例|材料|综合|分析|实务|共用题干|组合")
INSTRUCTION = re.compile(r"每小?题|[本每]大?题|共\s*\d+\s*[小道]?题|作答|答题|满分|备选|选出|\d+\s*分")
_KIND_LABEL = re.compile(
    r"^(?:[【\[(（〔〖《<〈]\s*(?P<a>[^】\])）〕〗》>〉]{2,10})\s*[】\])）〕〗》>〉]\s*[:：.、\-—]?"
    r"|(?P<b>[\u4e00-\u9fff]{2,7}题|(?:[单多]项?选择?|判断|填空|简答|不定项)(?=[:：\s]))(?:\s*[:：\-—]|\s+|$))\s*(?P<rest>.*)",
    re.DOTALL,
)


_KIND_BEHIND = re.compile(
    r"\s*[(（【\[<〈]\s*(?P<name>[\u4e00-\u9fff]{0,5}(?:题|选|判断|填空|简答))\s*[)）】\]>〉]\s*$"
)
_POINTS_LABEL = re.compile(r"^[【\[(（]\s*(?P<points>\d{1,3}(?:\.\d{1,2})?\s*分)\s*[】\])）]\s*(?P<rest>.*)", re.DOTALL)
_POINTS_BEHIND = re.compile(
    r"(?<=[。.？?！!）)】\]_])\s*[(（【\[]\s*(?:分[值数]\s*[:：]\s*(?P<named>\d{1,3}(?:\.\d{1,2})?)\s*分?|(?P<points>\d{1,3}(?:\.\d{1,2})?\s*分))\s*[)）】\]]\s*$"
)
"""Points behind the end of a stem; within a sentence (`一次记（12分）`) they are a part of it."""


@dataclass(frozen=True, slots=True)
class Number:
    """A line's number, the style it is written in, and the text behind it."""

    value: int
    style: str
    rest: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a section, with the kind it names, if any."""

    title: str
    kind: Kind | None
    label: str = ""
    """The name of the kind where it is none of ours, or open between single and multiple choice."""


def read_number(text: str) -> Number | None:
    """Return the number that begins a line, if one does."""
    for style, form in _NUMBER_FORMS:
        match = form.match(text)
        if not match or (style == "kind" and kind_names.kind_of(match["kind"]) is None):
            continue
        rest = match["rest"].strip()
        if style == "kind":
            return Number(to_number(match["n"]), "mark", f"【{match['kind']}】{rest}")
        return None if style == "loose" and _UNITS.match(rest) else Number(to_number(match["n"]), style, rest)
    return None


def to_number(text: str) -> int:
    """Return an Arabic number, a Chinese one up to 99 or a number in a circle as an int."""
    if text[0] not in CHINESE:
        return int(text) if text.isdecimal() else int(unicodedata.numeric(text))
    tens, ten, ones = text.partition("十")
    if not ten:
        return CHINESE.index(text[0]) + 1
    return (CHINESE.index(tens[-1]) + 1 if tens else 1) * 10 + (CHINESE.index(ones[0]) + 1 if ones else 0)


@lru_cache(maxsize=4096)
def read_heading(text: str) -> Heading | None:
    """Return the heading that a line is: with a kind's name, or plainly the title of a part."""
    match = _HEADING.match(text.strip(_DECORATION)) if len(text) <= 80 else None
    if not match:
        return None
    title = (match["a"] or match["b"] or match["c"] or match["d"] or "").strip()
    bare = _SCORES.sub("", title).strip().rstrip(":：").strip() or title
    bare = LAW_BEFORE.sub("", bare) or bare
    kind = kind_names.kind_of(bare)
    named = bare.endswith(("题", "题】", "题]")) or bare in {"单选", "多选", "判断", "填空", "简答"}
    if kind is not None and (named or bare[:1] in "【[(（〔〖《" or not match["d"]):
        return Heading(title, kind)
    is_unsupported = kind_names.unsupported_name(bare) and bare.endswith("题") and len(bare) <= 10
    if is_unsupported or kind_names.is_choice_name(bare):
        return Heading(title, None, bare)
    if match["d"] is not None:
        return None
    if match["part"] or (len(bare) <= 20 and _TITLE_ENDS.search(bare) and not re.search(r"[。？?！!；;]", bare)):
        return Heading(title, kind_names.kind_in(title))
    return None


def read_law_heading(text: str, *, bare: bool = False) -> str | None:
    """Return the law that a heading names; None where the line is no such heading. `bare`: a name without a mark is one too."""
    match = _LAW_HEADING.match(text)
    if match is None:
        return None
    is_named = bare or match["mark"] or text.startswith("中华人民共和国")
    return match["title"] or (match["name"] if is_named else None)


def read_subheading(text: str) -> str | None:
    """Return the title of a short line with a Chinese number before it (`（二） 行政法类`, `第二节 处罚`); None for other lines."""
    match = _SUBHEADING.match(text)
    return match["title"] if match else None


def read_answer_heading(text: str) -> tuple[str, bool] | None:
    """Return the name of an answer section that a line heads, and whether a colon follows it."""
    if ANSWER_TABLE.match(text):
        return "答案", False
    match = None if _ASKS_FOR_ANSWER.search(text) else _ANSWER_HEAD.match(text)
    return (match["name"], bool(match["colon"])) if match else None


def read_material(text: str) -> tuple[int, int, str] | None:
    """Return the numbers of the questions that a material serves (0, 0 where it names none) and the text on its head line."""
    served = read_served(text)
    if served and re.search(r"材料|资料|案例|案情|短文|题干|背景|信息|情况|下文|以下|下列", text):
        return served
    match = _MATERIAL.match(text)
    return (
        (0, 0, (match["text"] or match["more"] or match["behind"] or match["apart"] or "").strip()) if match else None
    )


def read_served(text: str) -> tuple[int, int, str] | None:
    """Return the numbers in `请回答3-4题`, which says of the text above it which questions it serves; None for other lines."""
    match = _MATERIAL_RANGE.match(text)
    return (int(match["a"] or match["c"]), int(match["b"] or match["d"]), "") if match else None


def read_answer_label(text: str) -> str | None:
    """Return the text behind an answer label that begins a line; None where no label stands there."""
    match = _ANSWER.match(text)
    if not match:
        return None
    value = next(
        (match[name] for name in ("a", "b", "c", "bare", "d", "e", "f", "g", "h") if match[name] is not None), ""
    )
    if wrapped := _WRAPPED.match(value):
        value = wrapped["a"] or wrapped["b"]
    if match["sign"] and match["sign"] not in ":：" and not looks_like_key(value) and not match["sign"].isspace():
        return None
    return f"{value} {match['rest']}".strip() if match["rest"] else value.strip()


def read_analysis_label(text: str) -> str | None:
    """Return the text behind a label of an explanation that begins a line; None where no label stands there."""
    match = _ANALYSIS.match(text)
    return match["text"].strip() if match else None


def read_meta(text: str) -> tuple[str, str] | None:
    """Return the name and value of a line such as `难度：易`."""
    match = _META.match(text)
    return (match["name"], match["text"].strip()) if match else None


def is_meta(name: str) -> bool:
    """Return whether a name is a label of a question's facts: difficulty, knowledge point, points."""
    return re.fullmatch(_META_LABEL, name) is not None


def read_kind_label(text: str) -> tuple[Kind | None, str, str]:
    """Return the kind named before a stem (`【单选题】`, `多选题：`), a name that is no kind of ours, and the stem without it."""
    match = _KIND_LABEL.match(text)
    if not match:
        return None, "", text
    name, points = (match["a"] or match["b"]).strip(), ""
    if with_points := re.fullmatch(r"(.+?)\s*[，,、;；\s]\s*(\d{1,3}(?:\.\d{1,2})?\s*分)", name):  # `多选，3分`
        name, points = with_points[1], f"（{with_points[2]}）"
    is_named = name.endswith(("题", "选", "判断", "填空", "简答", "选择")) or kind_names.is_unsupported(name)
    if match["a"] and not (is_named or (text[0] in "【[" and kind_names.kind_of(name))):
        return None, "", text
    kind = kind_names.kind_of(name)
    if kind is None and not kind_names.is_choice_name(name) and not kind_names.unsupported_name(name):
        return None, "", text
    return kind, "" if kind else name, f"{points}{match['rest'].strip()}"


def take_kind_behind(text: str) -> tuple[Kind | None, str]:
    """Return the kind named in brackets at the end of a stem (`…由谁决定？（单选题）`), and the stem without it; None where none stands there."""
    match = _KIND_BEHIND.search(text)
    kind = kind_names.kind_of(match["name"]) if match else None
    return (kind, text[: match.start()].rstrip()) if match and kind else (None, text)


def read_points_label(text: str) -> tuple[str, str]:
    """Return the points named before a stem (`[2分]`), and the stem without them; no points where none stand there."""
    match = _POINTS_LABEL.match(text)
    return (match["points"], match["rest"]) if match else ("", text)


def take_points_behind(text: str) -> tuple[str, str]:
    """Return the points named behind the end of a stem (`…是（ ）。（2分）`), and the stem without them; no points where none stand there."""
    match = _POINTS_BEHIND.search(text)
    return (match["points"] or match["named"], text[: match.start()].rstrip()) if match else ("", text)
