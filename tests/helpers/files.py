"""Small valid files: PDF, film, picture."""

from __future__ import annotations

import io
import struct

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"


def box(name: bytes, content: bytes = b"") -> bytes:
    """Give a box of an MP4 file."""
    return struct.pack(">I", 8 + len(content)) + name + content


def film(content: bytes = b"x" * 5000) -> bytes:
    """Give an MP4 file."""
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", b"y" * 60) + box(b"mdat", content)


def picture(**options) -> bytes:
    """Give a PNG picture."""
    target = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(target, "PNG", **options)
    return target.getvalue()
