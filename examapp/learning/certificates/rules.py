"""Rules of certificates: places in a template's words, numbers, the digest that a checker recomputes, and the code on the paper."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

PLACES = {
    "姓名": "持证人姓名",
    "单位": "持证人所在单位",
    "项目": "考试或课程的名称",
    "成绩": "等次和分数；按课程发证时为“学完全部课程”",
    "日期": "发证日期",
}
"""What a template's words may hold in 【】, and what stands there on the certificate."""
DEFAULT_BODY = "【姓名】同志（【单位】）：\n参加【项目】，成绩【成绩】，特发此证。"
ALL_COURSES = "学完全部课程"
_UNIT_FIELDS = re.compile(r"【([^【】]*)】")
_PREFIX = re.compile(r"[A-Z0-9]{2,12}")
_CHECK_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Everything that a certificate says; its digest is taken over just this and the salt."""

    number: str
    heading: str
    text: str
    name: str
    unit_name: str
    result: str
    signer: str
    issued_on: date

    def digest(self, salt: str) -> str:
        """Give the SHA-256 of what is printed, in hex."""
        said = [self.number, self.heading, self.text, self.name, self.unit_name, self.result, self.signer, self.issued_on.isoformat(), salt]  # fmt: skip
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def find_body_issue(body: str) -> str:
    """Say what is wrong with a template's words; empty where nothing is."""
    unknown = [name for name in _UNIT_FIELDS.findall(body) if name not in PLACES]
    if unknown:
        known = "、".join(f"【{name}】" for name in PLACES)
        return f"没有【{unknown[0]}】这一项。可以用的是{known}。"
    if "【姓名】" not in body:
        return "证书文字里要有【姓名】。"
    return ""


def fill(body: str, values: Mapping[str, str]) -> str:
    """Put the values into a template's words; what a value itself says is never looked at again. Of courses no mark is said, but that they were done."""
    if values.get("成绩") == ALL_COURSES:
        body = body.replace("成绩【成绩】", "已【成绩】")
    return _UNIT_FIELDS.sub(lambda match: values.get(match[1], match[0]), body)


def is_prefix(text: str) -> bool:
    """Tell whether numbers may begin so: 2 to 12 capital letters and digits."""
    return _PREFIX.fullmatch(text) is not None


def number_of(prefix: str, serial: int) -> str:
    """Give the number of a plan's certificate."""
    return f"{prefix}-{serial:06d}"


def day_label(day: date) -> str:
    """Write a day as a certificate has it."""
    return f"{day.year}年{day.month}月{day.day}日"


def check_code(digest: str) -> str:
    """Give what of the digest is printed, in groups of four."""
    short = digest[:_CHECK_LENGTH].upper()
    return " ".join(short[start : start + 4] for start in range(0, _CHECK_LENGTH, 4))


def clean_check_code(typed: str) -> str:
    """Give a typed check code as the digest begins; empty where it has another length."""
    bare = re.sub(r"[\s-]", "", typed).lower()
    return bare if re.fullmatch(rf"[0-9a-f]{{{_CHECK_LENGTH}}}", bare) else ""


def clean_number(typed: str) -> str:
    """Give a typed number in its usual form."""
    return re.sub(r"\s", "", typed).upper()[:40]


def verify_url(site_url: str, *, number: str, digest: str) -> str:
    """Give the address that the code on the paper leads to."""
    return f"{site_url.rstrip('/')}/verify?n={number}&c={digest[:_CHECK_LENGTH]}"
