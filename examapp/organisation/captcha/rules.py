"""When a sign-in asks for a captcha, and the picture with its digits: made here, no outside service."""

from __future__ import annotations

import io
import ipaddress
import math
import random
import secrets
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw as Pen

ADDRESS_WINDOW = timedelta(minutes=15)
MAX_FAILED_ACCOUNTS = 60
"""Distinct accounts that failed from one address within the window, from which on unknown devices solve a captcha."""
CAPTCHA_LIFE = timedelta(minutes=10)
CAPTCHA_WAIT = timedelta(seconds=30)
"""Who cannot read the picture waits so long instead."""
MAX_WAITED_REQUESTS = 5
"""Tries by waiting from one address within the wait: enough for people, too slow for a machine."""
_LENGTH = 5
_SIZE = (210, 72)
_INK = 60
_STEPS = (30, 12)
"""Into pieces of which the picture is bent; divides its size."""
_random = random.Random(secrets.randbits(128))  # noqa: S311 – see below
"""How it is drawn need not be secret; the digits come from `secrets`."""


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
    """Draw the digits as PNG: turned, leaning, overlapping and bent, under two strokes; large enough for eyes of sixty.

    A brake, not a lock: whoever trains a reader on enough pictures gets past it, and the limits per account and per address hold without it.
    """
    from PIL import Image, ImageDraw

    picture = Image.new("L", _SIZE, 255)
    left = _random.randrange(2, 30)
    for digit in answer:
        left += _draw_digit(picture, digit, left=left)
    pen = ImageDraw.Draw(picture)
    for _ in range(2):
        _draw_stroke(pen)
    out = io.BytesIO()
    _bend(picture).save(out, "PNG", compress_level=6)
    return out.getvalue()


def _draw_digit(picture: Picture, digit: str, *, left: int) -> int:
    """Draw one digit and give how far the next one is: near enough to overlap."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=_random.randrange(42, 54))
    tile = Image.new("L", (64, 72), 0)
    ImageDraw.Draw(tile).text((18, 6), digit, font=font, fill=255, stroke_width=_random.randrange(2))
    lean = _random.uniform(-0.3, 0.3)
    leaning = tile.transform(
        tile.size, Image.Transform.AFFINE, (1, lean, -36 * lean, 0, 1, 0), resample=Image.Resampling.BICUBIC
    )
    turned = leaning.rotate(_random.uniform(-22, 22), resample=Image.Resampling.BICUBIC)
    picture.paste(_INK, (left - 14, _random.randrange(-5, 6)), turned)
    return _random.randrange(25, 35)


def _draw_stroke(pen: Pen) -> None:
    """Draw a curve through the digits, as thick as they are."""
    height, rise, width = _random.randrange(18, 54), _random.randrange(-18, 19), _random.randrange(2, 4)
    phase = _random.uniform(0, 6)
    points = [(x, height + rise * math.sin(phase + x / 45)) for x in range(0, _SIZE[0], 5)]
    pen.line(points, fill=_INK, width=width, joint="curve")


def _bend(picture: Picture) -> Picture:
    """Bend the whole picture in waves, so that no digit has a place or shape of its own."""
    from PIL import Image

    width, height = picture.size
    waves = [(_random.uniform(2.5, 4.5), _random.uniform(22, 36), _random.uniform(0, 6)) for _ in range(2)]

    def moved(x: int, y: int) -> tuple[float, float]:
        (by_x, long_x, from_x), (by_y, long_y, from_y) = waves
        return x + by_x * math.sin(from_x + y / long_x * 2), y + by_y * math.sin(from_y + x / long_y)

    wide, high = _STEPS
    boxes = [(x, y, x + wide, y + high) for x in range(0, width, wide) for y in range(0, height, high)]
    mesh = [
        (box, (*moved(box[0], box[1]), *moved(box[0], box[3]), *moved(box[2], box[3]), *moved(box[2], box[1])))
        for box in boxes
    ]
    return picture.transform(
        picture.size, Image.Transform.MESH, mesh, resample=Image.Resampling.BILINEAR, fillcolor=255
    )
