"""Name the columns of question tables: which field a head means, under the names that offices and platforms give."""

import re
import unicodedata
from enum import StrEnum

from question_bank.model import OPTION_LETTERS

MAX_HEADER = 60
"""Characters of a head, its remarks included."""
LONGEST_HEADER = 1000
"""Characters of a cell that are looked at for a head: no head is longer, and endless ones would take minutes."""
MIN_SURE = 99
"""The rank of a name that is only built like one of its field's."""


class Field(StrEnum):
    """What a column of a question table holds."""

    KIND = "kind"
    MULTI = "multi"
    STEM = "stem"
    MATERIAL = "material"
    OPTIONS = "options"
    OPTION = "option"
    ANSWER = "answer"
    ANSWER_N = "answer_n"
    RIGHT = "right"
    BLANK = "blank"
    EXPLANATION = "explanation"
    DIFFICULTY = "difficulty"
    KNOWLEDGE = "knowledge"
    LAW = "law"
    ARTICLE = "article"
    LAW_VERSION = "law_version"
    POINTS = "points"
    TAGS = "tags"
    CODE = "code"
    PARENT = "parent"
    ORDER = "order"


_NAMES: dict[Field, str] = {
    Field.KIND: "题型 题目类型 试题类型 题型名称 题类 题目题型 试题题型 题型类别 题目种类 问题类型 类型 questiontype type kind",
    Field.MULTI: "multichoice 是否多选",
    Field.STEM: "题干 试题题干 题目题干 题干内容 题目内容 试题内容 题目 试题 问题 题目名称 试题名称 题目描述 问题内容 问题描述 题目标题 试题标题 题面 题干描述 "
    "考题 题目正文 题文 标题 内容 question questiontext questiontitle questionstem stem input title",
    Field.MATERIAL: "材料 案例 材料内容 案例内容 背景材料 公共题干 共用题干 案例材料 题干材料 材料题干",
    Field.OPTIONS: "选项 备选项 备选答案 选项内容 候选项 试题选项 题目选项 可选项 所有选项 答案选项 全部选项 选择项 options choices",
    Field.ANSWER: "答案 正确答案 参考答案 标准答案 试题答案 题目答案 正确选项 答案内容 标答 正确答案选项 正确项 参考要点 answer output correctanswer",
    Field.RIGHT: "√ ✓ ✔ 是否正确 是否正确答案 是否为正确答案 是否为答案 是否答案 正确与否 正确标记 判断结果 判断正误 判断对错 正误 对错 iscorrect isright",
    Field.EXPLANATION: "解析 答案解析 试题解析 题目解析 题解 解释 说明 分析 试题分析 答案说明 错误原因 错因 详解 答题解析 解题思路 解析内容 解析说明 参考解析 答案依据 依据 法律依据 "
    "理由 判断理由 答案理由 explanation analysis",
    Field.DIFFICULTY: "难度 难易度 难易程度 试题难度 题目难度 难度等级 难度级别 难度系数 level difficulty",
    Field.KNOWLEDGE: "知识点 考点 所属知识点 知识点名称 知识要点 考核点 考查点",
    Field.LAW: "法律 法律名称 法律法规 法规名称 所属法律",
    Field.ARTICLE: "条文 法条 条款 法律条文 条文号",
    Field.LAW_VERSION: "法律版本 版本日期",
    Field.POINTS: "分值 分数 得分 每题分值 单题分数 题目分值 题目分数 试题分数 试题分值 单空分数 子题分值 本题分数 分 默认分值 score points",
    Field.TAGS: "标签 关键字 关键词 方向 章节 分类 类别 题目分类 试题分类 题目类别 试题类别 科目 专业 来源 出处 所属分类 分区 章节分区 所属章节 模块 tags tag source category topic",
    Field.CODE: "编号 题目编号 试题编号 试题guid guid id 题目id 试题id 题目标识 试题标识 题号 序号 题目序号 no no. number",
    Field.PARENT: "父题标识 所属案例 父题编号 父题id 父试题guid 父题 父题序号 父级标识 材料编号 大题编号 父试题编号 上级题目 主题编号 案例编号",
    Field.ORDER: "子题顺序 排序 顺序 排序号 子题序号 小题序号",
}
_BY_NAME = {name: (one, rank) for one, names in _NAMES.items() for rank, name in enumerate(names.split())}
STEM_TERMS = re.compile(
    "题干|题目|试题|问题|考题|题文|题面|标题|内容|question|stem|title|content|input|prompt|statement"
)
"""Words of which each head of stems has one."""
_NOTES = re.compile(r"[(\[【<（].*?[)\]】>）]|必填项?|非必填|选填项?|勿删除?|请勿删|[\s*:：、#]+")
_REMARK_BEHIND = re.compile(r"(?<=[A-Za-z0-9)])\s+[-–—]\s+\S.*$", re.DOTALL)
"""What stands behind a head in English, as `Question - max 120 characters`."""
_LONE_LETTER = re.compile(r"[(\[【<]\s*([A-Za-z])\s*[)\]】>]")
_OPTION_HEADERS = "(?:试题|题目)?(?:答案选项|选项内容|选项|备选项|备选答案|候选项|候选答案|选择项|选择|option)"
_OPTION = re.compile(rf"{_OPTION_HEADERS}?[-_.]?([a-z])[-_.]?(?:选项|选择|项|答案|内容|选项内容)?")
_OPTION_NUMBER = re.compile(
    rf"(?:{_OPTION_HEADERS}|(?:干扰|错误)(?:项|选项|答案))[-_]?(\d{{1,2}}|[一二三四五六七八九十])|第(\d{{1,2}}|[一二三四五六七八九十])个?选项"
)
_BUILT: tuple[tuple[Field, re.Pattern[str]], ...] = (
    (Field.MATERIAL, re.compile(r"(?:案例|材料|案情|背景|公共|共用|共同)(?:分析)?(?:题干|材料|描述|内容|正文|简介|介绍|资料|信息|原文|陈述|事实|经过|情况)")),
    (Field.STEM, re.compile(r"(?:本题|[大小子主]题|题目|试题|考题|问题|题|判断)(?:题干|题目|试题|问题|内容|正文|文本|描述|名称|主干)(?:内容|文本|描述|正文)?")),
    (Field.STEM, re.compile(r"(?:question|quiz|item|topic|exam|problem)?(?:stem|content|text|title|body|desc|description|prompt|statement)|problem")),
    (Field.ANSWER, re.compile(r"(?:正确|标准|参考|试题|题目|本题|[大小子]题|判断|最终|(?:修改|更正|修订|更新|调整)后的?)*(?:答案|正确选项|正确项)的?(?:选项)?(?:序号|编号|代码|字母|标号|要点|文本|项)?")),
    (Field.ANSWER, re.compile(r"(?:question|quiz|item|exam)?(?:right|correct|standard|true|reference|ref)?answers?(?:key|text|content)?|(?:correct|right)(?:option|choice|key)s?|correct")),
    (Field.EXPLANATION, re.compile(r"(?:正确|参考)?(?:答案|试题|题目|解题|答题|本题|[大小子]题)?(?:解析|详解|解读|讲解|点评|分析)(?:内容|说明)?|(?:答案|试题|题目)(?:说明|出处|来源)")),
    (Field.EXPLANATION, re.compile(r"(?!评分|计分|打分|给分|得分)[\u4e00-\u9fff]{0,6}依据")),
    (Field.EXPLANATION, re.compile(r"(?:answer|question|result)?(?:analysis|explanation|explain|analyze|parse|parsing|rationale)")),
    (Field.KIND, re.compile(r"(?:本题|[大小子]题|题目|试题|问题)?(?:题型|类型)(?:名称)?|(?:question|quiz|topic|item|exam)(?:type|kind)(?:name|label)?")),
    (Field.OPTIONS, re.compile(r"(?:question|answer)?(?:options?|choices?)(?:content|text|list|json)?")),
    (Field.DIFFICULTY, re.compile(r"(?:题目|试题|本题|[大小子]题)?难(?:度|易|易度|易程度)(?:等级|级别|系数|值)?|difficult(?:y|level|ylevel)")),
    (Field.POINTS, re.compile(r"(?:小题|每题|本题|单题|题目|试题|默认|建议|参考|每空|单空|题)(?:分值|分数|得分|满分)")),
    (Field.KNOWLEDGE, re.compile(r"(?:所属|关联|相关|考核|考查|一级|二级)(?:知识点|考点)(?:名称)?")),
    (Field.LAW, re.compile(r"(?:所属|相关|涉及|对应|考查|依据的?)(?:法律|法规|法律法规)(?:名称|全称)?")),
)  # fmt: skip
"""How heads of a field are built where none of the names above is it, in half width, without spaces, `-` and `_`."""
_TICK_OF_OPTION = re.compile(
    r"(?P<before>.{1,12}?)(?:是否正确(?:答案)?|是否为?(?:正确)?答案|正确与否|对错|为?正确)|(?:是否)?正确(?:选项)?(?P<behind>[a-z]|\d)"
)
"""Whether one option is right; the place is the option's, counted from 1."""
_OPTION_SPAN = re.compile(r"(?:选项)?a[-~至到][d-z]")
_ANSWER_NUMBER = re.compile(r"(?:答案|正确答案|参考答案|answer)[-_]?(\d{1,2}|[一二三四五六七八九十]|[a-z])")
_BLANK_NUMBER = re.compile(
    r"(?:空|填空|空格|空白|blank)[-_]?(\d{1,2}|[一二三四五六七八九十])(?:答案)?|第(\d{1,2}|[一二三四五六七八九十])空(?:答案)?"
)
_LEVELS = re.compile(r"(?:知识点|考点)[-_]?(?:[一二三四五六七八九十\d]+级?)|[一二三四五六七八九十]级知识点")
_TWO_LANGUAGES = re.compile(r"(.*[\u4e00-\u9fff][A-Za-z]?)\s+([A-Za-z][A-Za-z\s]+)")
"""A head in Chinese and in English: `选项A Option A`."""
_CHINESE_DIGITS = "一二三四五六七八九十"


def own_header(wanted: Field) -> str:
    """Return the header that our own tables have for a field."""
    return _NAMES[wanted].split()[0]


def normalise_header(text: str) -> str:
    """Return a head without remarks such as `（必填）` and without spaces, in half width and small letters."""
    text = _REMARK_BEHIND.sub("", text[:LONGEST_HEADER])
    return _NOTES.sub("", _LONE_LETTER.sub(r"\1", unicodedata.normalize("NFKC", text))).strip().lower()


def field_known(cell: str) -> tuple[Field, int, int] | None:
    """Return the field that a head names: as a whole, in its first line, or by two names for one thing (`题干/问题`)."""
    if not cell or len(cell) > MAX_HEADER:
        return None
    lines = [line for line in cell.splitlines() if normalise_header(line)]
    ticked = _TICK_OF_OPTION.fullmatch(normalise_header(cell))
    option = _field_of(ticked["before"] or f"选项{ticked['behind']}") if ticked else None
    if option and option[0] is Field.OPTION:
        return Field.RIGHT, option[1] + 1, 0
    for text in (cell, *lines[:1]):
        named = _field_of(normalise_header(text))
        if named:
            return named
    if (two := _TWO_LANGUAGES.fullmatch(cell.strip())) and (named := _field_of(normalise_header(two[1]))):
        other = _field_of(normalise_header(two[2]))
        return named if other is None or other[:2] == named[:2] else None
    several = [_field_of(normalise_header(part)) for part in re.split(r"[/／或]", cell)]
    explaining = [one for one in several if one and one[0] is Field.EXPLANATION]
    if len(several) == 2 and explaining and all(one and one[0] in {Field.EXPLANATION, Field.TAGS} for one in several):
        return explaining[0]  # `出处/解析`
    return several[0] if len(several) == 2 and several[0] and several[1] and several[0][0] is several[1][0] else None


def _field_of(name: str) -> tuple[Field, int, int] | None:
    """Return the field, the place among its like and the rank of the name (lower is surer)."""
    if name in _BY_NAME:
        wanted, rank = _BY_NAME[name]
        return wanted, 0, rank
    if _OPTION_SPAN.fullmatch(name):
        return Field.OPTIONS, 0, 0
    match = _OPTION.fullmatch(name)
    if match:
        return Field.OPTION, OPTION_LETTERS.index(match[1].upper()), 0
    for pattern, wanted in (
        (_OPTION_NUMBER, Field.OPTION),
        (_ANSWER_NUMBER, Field.ANSWER_N),
        (_BLANK_NUMBER, Field.BLANK),
    ):
        match = pattern.fullmatch(name)
        if match:
            place = _number(next(group for group in match.groups() if group)) - 1
            lowest = -1 if wanted is Field.OPTION else 0
            return (wanted, place, 0) if lowest <= place < len(OPTION_LETTERS) else None
    if _LEVELS.fullmatch(name):
        return Field.KNOWLEDGE, 0, 0
    plain = re.sub(r"[-_]", "", name)
    built = next((wanted for wanted, pattern in _BUILT if pattern.fullmatch(plain)), None)
    return (built, 0, MIN_SURE) if built else None


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    letter = text.upper()
    return OPTION_LETTERS.index(letter) + 1 if letter in OPTION_LETTERS else _CHINESE_DIGITS.index(text) + 1
