"""Names of question kinds as banks write them (`单项选择题`, `不定项`, `是非题` …) and the codes that heads explain."""

import re
import unicodedata
from collections.abc import Iterable

from question_bank.kinds.registry import KINDS
from question_bank.model import Kind

CHOICE = "choice"
CHOICE_NAMES = frozenset({"选择", "客观", "选择单选多选", CHOICE})
"""Names that say choice without saying how many."""

_UNSUPPORTED = (
    "连线", "匹配", "配对", "拖拽", "拖放", "热点", "热区", "听力", "口语", "朗读", "完形", "操作题", "实操", "上机", "编程", "程序题",
    "上传", "作图", "画图", "绘图", "投票", "打分", "评分题", "量表", "矩阵", "录音", "录像", "视频题", "标注", "涂色", "打字", "比色",
    "match", "drag", "hotspot", "upload", "drawing", "listening", "oral",
)  # fmt: skip
_UNSUPPORTED_WORD = re.compile("|".join(map(re.escape, _UNSUPPORTED)))
_BRACKETS = re.compile(r"[\s【】\[\]()〔〕〖〗《》<>:.。,，、*＊_—]+")
_BY_NAME = {_BRACKETS.sub("", name).lower(): kind.code for kind in KINDS.values() for name in kind.aliases}
_CODE_NAMES = "|".join(sorted((name for name in _BY_NAME if not name.isascii()), key=len, reverse=True))
_CODE = re.compile(rf"(\d{{1,2}})\s*[:：、.=\-—－]*\s*({_CODE_NAMES})")
_CODE_AFTER = re.compile(rf"({_CODE_NAMES})题?\s*[:：=\-—－]\s*(\d{{1,2}})")
_COUNT_BEFORE = re.compile(r"^(?:第?[一二三四五六七八九十]+[、.．]?|\d+[、.．])\s*(?=\S{2})")
_REMARK_AFTER = re.compile(r"\s*(?:[(（\[【].*[)）\]】]|[-—－_:：/／].*|\d+)$", re.DOTALL)


def kind_of(name: str) -> Kind | None:
    """Return the kind that a name means exactly, brackets, `题`, a number before and a remark behind left out; None for anything else."""
    bare = _COUNT_BEFORE.sub("", name.strip())
    for text in dict.fromkeys((name, bare, _REMARK_AFTER.sub("", bare))):
        found = next((_BY_NAME[one] for one in _shortened(_plain(text)) if one in _BY_NAME), None)
        if found:
            return found
    return None


def is_choice_name(name: str) -> bool:
    """Return whether the name says 选择题 and leaves open whether one or more options are right."""
    return any(one in CHOICE_NAMES for one in _shortened(_plain(name)))


def is_multiple_choice(name: str) -> bool:
    """Return whether the name is the English `multiple choice`, which means one right option or several."""
    return _plain(name) in {"multiplechoice", "multichoice"}


def is_multiple_open(names: Iterable[str]) -> bool:
    """Return whether among the names of kinds in one place `multiple choice` stands and none for a single choice: it may mean that."""
    known = set(names)
    return any(map(is_multiple_choice, known)) and not any(kind_of(name) is Kind.SINGLE_CHOICE for name in known)


def unsupported_name(name: str) -> str | None:
    """Return the name when it is a kind that is not supported (连线题, 排序题, 听力题 …); else None."""
    return name.strip() if _UNSUPPORTED_WORD.search(name) else None


def is_unsupported(name: str) -> bool:
    """Return whether the name is nothing but a kind that is not supported, `题` left out or not."""
    return bool(_UNSUPPORTED_WORD.fullmatch(name.strip().removesuffix("题")))


def codes_in(head: str) -> dict[str, Kind]:
    """Return the codes that a column's head explains: `题目类型(1单选2多选3判断4简答)` → {"1": single, …}."""
    head = unicodedata.normalize("NFKC", head)
    pairs = _CODE.findall(head) or [(code, name) for name, code in _CODE_AFTER.findall(head)]
    return {code.lstrip("0") or "0": _BY_NAME[name] for code, name in pairs}


def kind_in(text: str) -> Kind | None:
    """Return the one kind named anywhere in a longer text (a sheet's or file's name); None when none or several are."""
    plain = unicodedata.normalize("NFKC", text).lower()
    strong: set[Kind] = {kind for name, kind in _BY_NAME.items() if _named(name, plain) and kind is not Kind.CASE}
    strong |= {kind for word, kind in _SHORT_NAMES.items() if word in plain}
    return strong.pop() if len(strong) == 1 else None


def _named(name: str, text: str) -> bool:
    if name.isascii():
        return name in _PINYIN and name in text
    return len(name) > 1 and name + "题" in text


_PINYIN = frozenset({"danxuan", "duoxuan", "panduan", "tiankong", "jianda"})
_SHORT_NAMES: dict[str, Kind] = {
    "单选": Kind.SINGLE_CHOICE,
    "多选": Kind.MULTIPLE_CHOICE,
    "判断题": Kind.TRUE_FALSE,
    "是非题": Kind.TRUE_FALSE,
    "填空": Kind.FILL_BLANK,
    "简答": Kind.SHORT_ANSWER,
}


def _plain(name: str) -> str:
    return _BRACKETS.sub("", unicodedata.normalize("NFKC", name)).lower()


def _shortened(plain: str) -> tuple[str, ...]:
    """Return the name as it is and without the words for question that may end it."""
    return (plain, *(plain.removesuffix(end) for end in ("题", "题型", "题目", "试题")))
