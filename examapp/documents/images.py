"""Re-encode untrusted pictures of known formats and limited sizes, so that nothing but the picture is kept; draw a PDF's page as one."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examapp.errors import DomainError

if TYPE_CHECKING:
    from PIL.Image import Image as Decoded
    from PIL.ImageFile import ImageFile


MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_MAX_SIDE_LENGTH = 2000
_JPEG_QUALITY = 85


class UnfitImageError(DomainError):
    """A picture that is not accepted; the message says why and what to do."""

    code = "unfit_image"
    status = 400
    message = "图片无法使用。请换成 PNG、JPEG、GIF 或 WebP 格式的图片后再上传。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as it is kept: re-encoded, without metadata, known by its digest."""

    sha256: str
    media_type: str
    width: int
    height: int
    content: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The path under which pages show it."""
        return f"/media/{self.sha256}"


def encode_picture(content: bytes) -> Picture:
    """Re-encode a picture; raises UnfitImageError for other formats, broken files and more than 8 MB or 40 megapixels."""
    from PIL import Image

    if not content:
        raise UnfitImageError("图片是空的。请重新选择图片后再上传。")
    if len(content) > MAX_BYTES:
        raise UnfitImageError("图片超过 8 MB。请缩小后再上传。")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                return _encoded(_drawn(opened))
        except UnfitImageError:
            raise
        except Exception as error:  # whatever Pillow's decoders raise on a broken file, it is not a picture
            raise UnfitImageError from error


def _drawn(opened: ImageFile) -> Decoded:
    from PIL import ImageOps

    if opened.width * opened.height > MAX_PIXELS:
        raise UnfitImageError(f"图片有 {opened.width}×{opened.height} 像素，超过 4000 万像素。请缩小后再上传。")
    opened.draft("RGB", (_MAX_SIDE_LENGTH, _MAX_SIDE_LENGTH))
    opened.load()
    has_alpha = opened.mode in {"RGBA", "LA", "PA"} or "transparency" in opened.info
    drawn = ImageOps.exif_transpose(opened).convert("RGBA" if has_alpha else "RGB")
    drawn.thumbnail((_MAX_SIDE_LENGTH, _MAX_SIDE_LENGTH))
    drawn.info.clear()
    return drawn


def _encoded(drawn: Decoded) -> Picture:
    target = io.BytesIO()
    drawn.save(target, "PNG", optimize=False)
    media_type = "image/png"
    if drawn.mode == "RGB":
        photo = io.BytesIO()
        drawn.save(photo, "JPEG", quality=_JPEG_QUALITY)
        if photo.tell() * 2 < target.tell():
            target, media_type = photo, "image/jpeg"
    kept = target.getvalue()
    return Picture(
        sha256=hashlib.sha256(kept).hexdigest(),
        media_type=media_type,
        width=drawn.width,
        height=drawn.height,
        content=kept,
    )


def first_page_png(pdf: bytes, *, width_px: int = 1600) -> bytes:
    """Draw the first page of a PDF of our own as a PNG of this width."""
    from pypdfium2 import PdfDocument

    with PdfDocument(pdf) as document:
        page = document[0]
        picture = page.render(scale=width_px / page.get_width()).to_pil()
    buffer = io.BytesIO()
    picture.convert("P", palette=1, colors=64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
