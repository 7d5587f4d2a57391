"""What a password must be, when a sign-in must wait, and where it may lead."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from examapp.config import PasswordProfile

AUDIT_ACTS = {
    "people.delay_sign_in": "密码多次错误，限制登录",
    "people.end_other_sign_ins": "退出其他登录",
    "people.end_sign_in": "退出一处登录",
    "people.fail_own_password": "修改密码时现在的密码输错",
    "people.reject_sign_in": "登录被拒绝",
    "people.sign_in": "登录",
    "people.sign_out": "退出登录",
}
AUDIT_OBJECTS = {"account": "账号", "sign_in": "登录"}
AUDIT_DETAILS = {"failures": "错误次数", "since": "交卷起", "ticket_id": "一次性登录码", "wait_s": "等待秒数"}
AUDIT_VALUES = {
    "account_disabled": "账号已停用",
    "captcha_required": "没有填对验证码",
    "slow_down": "密码错误较多，等待中",
    "unknown_identity": "名册上没有这个人员编号",
    "wrong_credentials": "登录名或密码不对",
    "wrong_ticket": "一次性登录码不对或已失效",
}

SIGN_IN_LIFE = timedelta(days=7)
"""How long the server takes a sign-in for alive where nothing is set, and at most that of anybody with a role; only a running exam goes on."""
MAX_SIGN_IN_DAYS = 60
COOKIE_LIFE = timedelta(days=MAX_SIGN_IN_DAYS)
"""How long a browser keeps a sign-in: whether it is still alive is the server's to say, however often its cookie was written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPolicy:
    """How long candidates stay signed in (decision 0074), so that few passwords are checked in the minutes before an exam."""

    days: int = SIGN_IN_LIFE.days
    is_kept_for_exam: bool = False
    """Whether the sign-in of somebody who is eligible for an exam stays alive until that exam closes, MAX_SIGN_IN_DAYS at most."""

    def life(self, *, is_administrator: bool) -> timedelta:
        """Give how long a sign-in is alive whatever exams there are; that of anybody with a role is never prolonged."""
        own = timedelta(days=self.days)
        return min(own, SIGN_IN_LIFE) if is_administrator else own

    def longest(self, *, is_administrator: bool, has_exam_ahead: bool) -> timedelta:
        """Give how long a sign-in is alive, once it is known whether an exam is open or to come for its holder."""
        life = self.life(is_administrator=is_administrator)
        return COOKIE_LIFE if self.is_kept_for_exam and has_exam_ahead and not is_administrator else life


FIRST_PASSWORD_LENGTH = 10
FIRST_PASSWORD_CHARACTERS = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ".replace("o", "")
"""None of 0 o O 1 l I: people type first passwords from paper."""

MAX_FAILURES = 10
"""Wrong passwords within the window, after which unknown devices are kept out for a while."""
MAX_FAILURES_OF_A_KNOWN_DEVICE = 30
FAILURE_WINDOW = timedelta(minutes=15)
_DELAYS_S = {5: 5, 6: 10, 7: 20, 8: 40, 9: 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The wrong passwords of one login name that still count."""

    count: int = 0
    first_at: datetime | None = None
    locked_until: datetime | None = None

    def after_another(self, *, now: datetime) -> Failures:
        """Count one more: from the fifth on a growing delay, at the tenth a lock as long as the window."""
        is_fresh = self.first_at is None or now - self.first_at >= FAILURE_WINDOW
        count = 1 if is_fresh else self.count + 1
        delay = FAILURE_WINDOW if count >= MAX_FAILURES else timedelta(seconds=_DELAYS_S.get(count, 0))
        return Failures(count=count, first_at=now if is_fresh else self.first_at, locked_until=now + delay)

    def wait_s(self, *, now: datetime, is_known_device: bool) -> int:
        """Give the seconds to wait before the next try, 0 where it may be made at once.

        A device that has signed in to this account before waits only after far more failures, so that a colleague's typing
        keeps nobody out of an exam.
        """
        if self.locked_until is None or self.locked_until <= now:
            return 0
        if is_known_device and self.count < MAX_FAILURES_OF_A_KNOWN_DEVICE:
            return 0
        return ceil((self.locked_until - now).total_seconds())


def digest(token: str) -> bytes:
    """Give the digest under which a sign-in's token is stored."""
    return hashlib.sha256(token.encode()).digest()


_LOGIN_NAME = re.compile(r"[^\x00-\x20\x7f-\xa0\ud800-\udfff]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def clean_login_name(typed: str) -> str | None:
    """Give a typed login name in its canonical width, None where no account can have it."""
    name = unicodedata.normalize("NFKC", typed[:200]).strip()
    return name if _LOGIN_NAME.fullmatch(name) else None


def safe_next(path: str | None) -> str:
    """Give where to go after signing in: an own page's path, else the home page."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or _CONTROL.search(path):
        return "/"
    return "/" if path.split("?")[0] in {"/login", "/logout", "/password"} or path.startswith("/api/") else path


_SYSTEMS = (
    ("HarmonyOS", "鸿蒙设备"),
    ("iPhone", "苹果手机"),
    ("iPad", "苹果平板"),
    ("Android", "安卓手机"),
    ("Windows", "Windows 电脑"),
    ("Mac OS", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("QQBrowser", "QQ 浏览器"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome 内核浏览器"),
    ("Safari", "Safari"),
)


def device_label(user_agent: str) -> str:
    """Say what a browser is, from how it names itself: `Windows 电脑，Edge`."""
    system = next((text for mark, text in _SYSTEMS if mark in user_agent), "其他设备")
    browser = next((text for mark, text in _BROWSERS if mark in user_agent), "")
    return f"{system}，{browser}" if browser else system


SHORTEST_PASSWORD = 10
MAX_PASSWORD_LENGTH = 128
FORMER_PASSWORDS = 5
"""How many of the last passwords may not come back under the classified protection's profile."""
ADMIN_PASSWORD_LIFE = timedelta(days=90)
"""How long an administrator's password lasts under the classified protection's profile."""


_DICTIONARY_TEXT = (
    # what the keyboard and English offer
    "password passwd passw0rd pass word admin administrator root user guest test demo login welcome letmein master secret default changeme "
    "temp system manager server oracle mysql huawei lenovo windows office iloveyou love lovely baby angel dragon monkey sunshine princess "
    "superman batman football hello freedom shadow computer internet google apple samsung qq weixin wechat alipay taobao baidu "
    # pinyin that people take: wishes, feelings, the country, the office, study
    "woaini woaiwo aini aiwo woaizhongguo zhongguo china beijing guojia renmin gongchandang xinnian kuaile xingfu pingan jiankang facai "
    "nihao zaijian mima denglu guanli guanliyuan ceshi yonghu kaoshi xuefa xuexi pufa fazhi falv sifa sifaju gongzuo danwei bangong "
    "ganbu lingdao jiguan xianfa minfa zhengfu caizheng jiaoyu weiji jiwei gongan fayuan jiancha mishu laoshi "
    "zhangsan lisi wangwu zhaoliu baobei baobao laogong laopo mama baba erzi nver jiayou "
    # the hundred families' first ones, alone or after one another
    "wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song zheng xie han tang feng dong xiao cheng "
    "cao yuan deng fu shen zeng peng lv su lu jiang cai jia ding wei xue ye yan yu pan du dai xia zhong tian ren jiang fan fang shi yao"
)
_DICTIONARY = _DICTIONARY_TEXT.split()
_KEYBOARD = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "abcdefghijklmnopqrstuvwxyz",
    "147258369",
    "!@#$%^&*()",
)
_RUNS = (*_KEYBOARD, *(run[::-1] for run in _KEYBOARD))
_LEET = str.maketrans({"@": "a", "0": "o", "1": "l", "3": "e", "$": "s", "5": "s", "!": "i"})
_LUCKY = (
    r"520|521|1314|5201314|1314520|666+|888+|168|518|110|119|12345+|123|321|112233|123321|147|258|369|789|987|000+|999+"
)
_YEAR = r"(?:19[3-9]\d|20[0-4]\d)"
_DATE = rf"{_YEAR}[-./]?(?:0?[1-9]|1[0-2])?[-./]?(?:0?[1-9]|[12]\d|3[01])?"
_FILLING = re.compile(rf"(.)\1\1+|{_DATE}|{_LUCKY}|\d{{1,4}}|[^\w]+|_+")
_MOBILE, _ID_NUMBER = re.compile(r"1[3-9]\d{9}"), re.compile(r"\d{17}[\dx]")
_ONLY_DIGITS = re.compile(r"[\d\W_]+")


def find_password_issue(
    password: str, *, login_name: str, profile: PasswordProfile = PasswordProfile.ASVS, name: str = ""
) -> str | None:
    """Say in Chinese what is wrong with a new password, None where it may stand."""
    if len(password) < SHORTEST_PASSWORD:
        return f"新密码至少 {SHORTEST_PASSWORD} 位，现在是 {len(password)} 位。"
    if len(password) > MAX_PASSWORD_LENGTH:
        return f"新密码最多 {MAX_PASSWORD_LENGTH} 位。"
    if login_name.lower() in password.lower() or (len(name) > 1 and name in password):
        return "新密码不能包含登录名或姓名。"
    if len(set(password)) < 5:
        return "新密码中重复的字符太多，请换一个。"
    if is_common(password):
        return "密码过于简单（主要由常用词、生日、连续数字组成）。请再加几个不相干的字，或用一句自己记得住的话。"
    return _find_class_issue(password) if profile is PasswordProfile.DENGBAO else None


def _find_class_issue(password: str) -> str | None:
    classes = {
        "大写字母": any(character.isupper() for character in password),
        "小写字母": any(character.islower() for character in password),
        "数字": any(character.isdigit() for character in password),
        "符号": any(not character.isalnum() for character in password),
    }
    missing = [text for text, is_there in classes.items() if not is_there]
    return f"新密码还要有：{'、'.join(missing)}。" if missing else None


def is_common(password: str) -> bool:
    """Tell whether a password is one that everybody tries: nothing is left of it once words, runs, dates and filling are taken out."""
    plain = unicodedata.normalize("NFKC", password).lower()
    squeezed = "".join(character for character in plain if not character.isspace())
    if _MOBILE.search(squeezed) or _ID_NUMBER.search(squeezed):
        return len(_MOBILE.sub("", _ID_NUMBER.sub("", squeezed))) < 6
    if _ONLY_DIGITS.fullmatch(squeezed) and re.fullmatch(rf"(?:{_DATE}|{_LUCKY}|[\W_])+", squeezed):
        return True
    return any(_is_made_of_common_parts(form) for form in {squeezed, _repeated(squeezed), squeezed.translate(_LEET)})


def _repeated(text: str) -> str:
    """Give what a text repeats, the text itself where it repeats nothing: `abc12abc12` is `abc12`."""
    for length in range(1, len(text) // 2 + 1):
        if text == (text[:length] * (len(text) // length + 1))[: len(text)]:
            return text[:length]
    return text


def _is_made_of_common_parts(text: str) -> bool:
    """Tell whether words, runs and filling cover the text: of letters outside them at most three stay."""
    for run in _RUNS:
        text = _without_run(text, run)
    for word in sorted(_DICTIONARY, key=len, reverse=True):
        if len(word) > 3 or text.strip("0123456789!@#$%^&*._-") in {word, word * 2}:
            text = text.replace(word, " ")
    letters = _FILLING.sub("", text.replace(" ", ""))
    surnames = re.fullmatch(rf"(?:{'|'.join(word for word in _DICTIONARY if len(word) > 1)}){{1,3}}", letters)
    return len(letters) <= 3 or surnames is not None


def _without_run(text: str, run: str) -> str:
    """Take every stretch of four or more characters out that lies on a run of the keyboard."""
    start = 0
    while start < len(text) - 3:
        end = start + 4
        if text[start:end] not in run:
            start += 1
            continue
        while end < len(text) and text[start : end + 1] in run:
            end += 1
        text = f"{text[:start]} {text[end:]}"
        start += 1
    return text


TICKET_LIFE = timedelta(hours=24)
RENEWAL_WINDOW = timedelta(minutes=30)
"""How long after a sign-in by ticket its holder may set a new password without the forgotten one."""
TICKET_PURPOSE = "sign_in_ticket"
RESET_CODE_LIFE = timedelta(minutes=10)
RESET_WINDOW = timedelta(minutes=15)
MAX_RESETS_OF_AN_ACCOUNT = 3
"""Codes sent to one phone within the window."""
MAX_RESETS_OF_AN_ADDRESS = 60
"""Requests from one address within the window, from which on unknown devices solve a captcha: an office is one address."""
_CHARACTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 12


def new_ticket_code() -> str:
    """Make a code: none of 0 O 1 I L, and 59 bits that nobody guesses."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))


def new_reset_code() -> str:
    """Make a code that is read from a phone: eight digits, good for ten minutes and few tries."""
    return "".join(secrets.choice("0123456789") for _ in range(8))


def reset_code_key(account_id: int, typed: str) -> str:
    """Give what a reset code is found by: it counts for its account alone."""
    plain = unicodedata.normalize("NFKC", typed[:40])
    return f"reset:{account_id}:{''.join(plain.split())}"


def clean_ticket_code(typed: str) -> str | None:
    """Give a typed code as it was made, whatever its case, width, spaces and hyphens; None where it cannot be one."""
    plain = unicodedata.normalize("NFKC", typed[:80]).upper()
    code = "".join(character for character in plain if character not in " -–—\t\u3000")
    return code if len(code) == _LENGTH and set(code) <= set(_CHARACTERS) else None


def spaced_ticket_code(code: str) -> str:
    """Write a code in groups of four, as it stands on paper."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
