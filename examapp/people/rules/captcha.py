"""When a sign-in asks for a captcha, and the picture with its digits: made here, no outside service."""

from __future__ import annotations

import io
import ipaddress
import secrets
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from examapp.core.lazily import Lazy

if TYPE_CHECKING:
    from PIL.Image import Image

images, drawing, fonts = Lazy("PIL.Image"), Lazy("PIL.ImageDraw"), Lazy("PIL.ImageFont")

ADDRESS_WINDOW = timedelta(minutes=15)
MOST_FAILED_ACCOUNTS = 60
"""Distinct accounts that failed from one address within the window, from which on unknown devices solve a captcha."""
CAPTCHA_LIFE = timedelta(minutes=10)
CAPTCHA_WAIT = timedelta(seconds=30)
"""Who cannot read the picture waits so long instead."""
MOST_WAITED_TRIES = 5
"""Tries by waiting from one address within the wait: enough for people, too slow for a machine."""
_LENGTH = 5
_SIZE = (210, 72)
_INK = (22, 58, 110)
_random = secrets.SystemRandom()


def office_of(address: str | None) -> str:
    """Give the address under which an office is counted: of IPv6 the network, since each device has many addresses in it."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def new_captcha_answer() -> str:
    """Make the digits of a captcha."""
    return "".join(secrets.choice("0123456789") for _ in range(_LENGTH))


def is_captcha_answer(typed: str, answer: str) -> bool:
    """Tell whether the typed digits are the picture's; full width and spaces do not matter."""
    plain = "".join(unicodedata.normalize("NFKC", typed[:40]).split())
    return secrets.compare_digest(plain.encode("utf-8", "replace"), answer.encode())


def draw_captcha(answer: str) -> bytes:
    """Draw the digits as PNG: each turned a little, under a few lines; large enough for eyes of sixty."""
    picture = images.new("RGB", _SIZE, (255, 255, 255))
    font = fonts.load_default(size=46)
    for place, digit in enumerate(answer):
        _draw_digit(picture, digit, font, left=8 + place * 39)
    pen = drawing.Draw(picture)
    for _ in range(4):
        ends = [(_random.randrange(_SIZE[0]), _random.randrange(_SIZE[1])) for _ in range(2)]
        pen.line(ends, fill=_INK, width=2)
    for _ in range(160):
        pen.point((_random.randrange(_SIZE[0]), _random.randrange(_SIZE[1])), fill=_INK)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw_digit(picture: Image, digit: str, font: Any, *, left: int) -> None:
    tile = images.new("L", (44, 60), 0)
    drawing.Draw(tile).text((8, 2), digit, font=font, fill=255)
    turned = tile.rotate(_random.uniform(-18, 18), resample=images.Resampling.BICUBIC)
    picture.paste(_INK, (left + _random.randrange(-3, 4), _random.randrange(2, 11)), turned)
