"""Tell the fields that programs print below a question (`分类：`, `出题人：`) from its explanation, and what stands around a text from its questions."""

import re
from collections import Counter
from collections.abc import Sequence

from question_bank.formats.heuristics.text_patterns import TextLine

_FIELD = re.compile(r"^[【\[]?\s*(?P<name>[\u4e00-\u9fff]{2,6})\s*(?:[】\]]\s*[:：]?|[:：])\s*(?P<text>.{0,40})$")
_QUOTES_LAW = re.compile(
    r"^[【\[]?\s*(?:相关)?(?:法条|法律条文|条文|条款|法律法规|法规|法律规定|法律链接|法条链接|知识链接|知识拓展|相关规定|相关链接|延伸阅读|提示|注|备注|注意|考查|出处|来源|依据来源)\s*(?:[】\]]\s*[:：]?|[:：])\s*(?P<text>.*)",
    re.DOTALL,
)
_OF_LAW = re.compile(r"《|第.{1,8}条|法|规定|条例")
_ORDER = re.compile(
    r"第|其|首先|再次|最后|此外|另外|同时|[一二三四五六七八九十]|步骤|要点|总之|问题|案例|材料|下列|选项|[甲乙丙丁]"
)
"""How a name begins that counts the points of an answer."""
MIN_FIELDS = 3
"""So many questions have a field of a name that is no label we know."""
_DATE = re.compile(r"^[\s(（]*(?:\d{4}|[二〇○零一二三四五六七八九]{4})\s*年\s*\S{1,3}\s*月\s*\S{1,3}\s*日[\s)）]*$")
_OFFICE = re.compile(
    r"^[\u4e00-\u9fff（）()·、\s]{2,40}(?:局|委|办|厅|院|府|会|公司|学校|中心|司|处|科|队|站|所|部|室|组|社区|村|街道|镇|乡|银行|集团)$"
)
_TRAILER = re.compile(
    r"^\W*(?:(?:图文)?(?:来源|编辑|责编|责任编辑|审核|校对|审校|编审|监制|签发|供稿|撰稿|作者|原标题|投稿邮箱|联系电话|制表|出题人?|命题人?|打印|印发)\s*[丨|:：].{0,60}"
    r"|.{0,20}(?:点赞|在看|转发|分享|扫码|扫描|长按|关注我们|阅读原文|二维码|公众号|点个赞|往期|推荐阅读).{0,40}|(?:THE\s+)?END\W*|完)$",
    re.IGNORECASE,
)


ENDING = re.compile(
    r"^PART\s*[.．·:：-]?\s*(?:\d{1,2}|ONE|TWO|THREE|FOUR|FIVE|SIX|I{1,3}|IV|V)$|^(?:得分|评卷人|阅卷人|复核人|评分人|核分人|总分)$|^[↓↑⬇⬆👇\s]+$|^.{0,12}(?:答案|解析).{0,6}(?:往下|下拉|下翻|见下|下方|揭晓|滑动|上滑|在这|来了).{0,14}$|"
    r"^[—\-\s(（【*]*(?:考试结束|试卷结束|(?:本?试卷|考试|全卷|试题)(?:到此)?(?:结束|完毕)|全卷完|试题结束|以下无正文|以下空白|完|结束|END)[—\-\s)）】*。.！!]*$|^第?\s*\d+\s*页\s*(?:[,，/]?\s*共?\s*\d+\s*页)?$|^[—\-]\s*\d+\s*[—\-]$"
    r"|^(?:如果?您?(?:还|若)?需要?更多|如需(?:更多|调整|其他)|希望(?:这些|以上|本套)|以上(?:就是|为).{0,20}(?:题目?|内容)[。！!]?$|(?:请)?(?:记得|欢迎)(?:转发|收藏|点赞)|版权所有|Copyright\b|©).{0,40}$",
    re.IGNORECASE,
)
"""Lines at the end of a text, a page or a chat that belong to no question."""


def quotes_law(text: str) -> bool:
    """Return whether a line begins with a label such as `法条：` or `注：`, which is a part of the explanation."""
    match = _QUOTES_LAW.match(text)
    return match is not None and (
        not text.lstrip("【[ ").startswith(("来源", "出处")) or bool(_OF_LAW.search(match["text"]))
    )


def read_field(text: str, names: frozenset[str]) -> tuple[str, str] | None:
    """Return name and value of a line that is a field of one of these names."""
    match = _FIELD.match(text)
    return (match["name"], match["text"].strip()) if match and match["name"] in names else None


def field_names(questions: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the names before colons that lines of at least a third of the questions begin with, and of three."""
    found = [{match["name"] for match in map(_FIELD.match, lines[1:]) if match} for lines in questions]
    counts = Counter(name for names in found for name in names)
    return frozenset(
        name
        for name, count in counts.items()
        if count >= max(MIN_FIELDS, len(questions) / 3) and not _ORDER.match(name)
    )


def without_trailer(lines: list[TextLine]) -> tuple[list[TextLine], list[TextLine]]:
    """Return the lines of a text up to its signature, date and a channel's closing words, and these."""
    end = len(lines)
    has_date = has_office = False
    while end:
        text = lines[end - 1].text
        if text and _DATE.match(text) and not has_date:
            has_date = True
        elif text and _OFFICE.match(text) and has_date and not has_office:
            has_office = True
        elif text and not _TRAILER.match(text):
            break
        end -= 1
    return lines[:end], [line for line in lines[end:] if line.text]
