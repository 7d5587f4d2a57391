"""Say of a file that no reader takes what it is, why it cannot be read, and what to do."""

from pathlib import PurePath

from examapp.documents.archives import MAX_PACKAGE_ENTRIES, ZIP, UnreadableFileError, open_archive
from examapp.documents.decoding import decode_text
from examapp.documents.workbooks import OLE

_PASTE = "请打开后复制题目，粘贴到导入页的文字框里"
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "这是图片（PNG）。图片里的题目不能读，请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"),
    (b"\xff\xd8\xff", "这是图片（JPEG）。图片里的题目不能读，请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"),
    (b"GIF8", "这是图片（GIF）。图片里的题目不能读，请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"),
    (b"BM", "这是图片（BMP）。图片里的题目不能读，请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"),
    (b"II*\x00", "这是图片（TIFF）。图片里的题目不能读，请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"),
    (b"MM\x00*", "这是图片（TIFF）。图片里的题目不能读，请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"),
    (b"Rar!", "这是 RAR 压缩包，不能读。请解压后上传里面的文件，或重新压缩成 zip 再上传。"),
    (b"7z\xbc\xaf", "这是 7z 压缩包，不能读。请解压后上传里面的文件，或重新压缩成 zip 再上传。"),
    (b"\x1f\x8b", "这是 gz 压缩包，不能读。请解压后上传里面的文件，或重新压缩成 zip 再上传。"),
    (b"SQLite format 3", "这是数据库文件（SQLite），不能读。请在原系统把题目导出为 Excel 再上传。"),
    (b"MZ", "这是 Windows 程序，不是题库。请确认选对了文件。"),
    (b"ID3", "这是音频文件，不是题库。请确认选对了文件。"),
)
_LEGACY: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", "文件加了密码，打不开。请用 Office 或 WPS 打开，去掉密码后另存，再上传。"),
    ("PowerPoint Document", f"这是演示文稿（.ppt），不能读。{_PASTE}。"),
    (
        "WordDocument",
        f"这是旧版 Word 或 WPS 文档，要先转换。请另存为 .docx 后再上传；也可以{_PASTE.removeprefix('请')}。",
    ),
    ("Workbook", "这是旧版 Excel 或 WPS 表格，扩展名却不对。请把扩展名改为 .xls，或另存为 .xlsx 后再上传。"),
)
_PACKED: tuple[tuple[str, str], ...] = (
    ("ppt/presentation.xml", f"这是演示文稿（.pptx），不能读。{_PASTE}。"),
    ("xl/workbook.bin", "这是二进制工作簿（.xlsb），不能读。请用 Excel 或 WPS 打开，另存为 .xlsx 后再上传。"),
    ("Index/Document.iwa", f"这是苹果的 Pages 或 Numbers 文件，不能读。请导出为 Word 或 Excel 后再上传；也可以{_PASTE.removeprefix('请')}。"),
    ("META-INF/container.xml", f"这是电子书（EPUB），不能读。{_PASTE}。"),
    ("AndroidManifest.xml", "这是安卓程序，不是题库。请确认选对了文件。"),
)  # fmt: skip
_NO_QUESTION = "这是文本文件，但没有认出题目。每道题要有题号（如“1.”），选项以“A.”“B.”开头，答案写成“答案：A”。请照此整理后再上传，或用 Excel 模板填写。"

_NO_RECORDS = "这是 JSON 文件，但里面没有题目。题目应是一个列表或每行一道，有 question（题干）、options（选项）和 answer（答案）。请在原系统重新导出，或改用 Excel 模板。"


def why_unknown(content: bytes, name: str) -> str:
    """Return what a file of no known format is, why it cannot be read, and what to do."""
    file_name = PurePath(name).name
    known = next((reason for signature, reason in _SIGNATURES if content.startswith(signature)), "")
    if not known and content[4:8] == b"ftyp":
        known = "这是手机拍的照片（HEIC）或视频，不是文字。请先用识别文字的工具转成文字，再粘贴到导入页的文字框里。"
    if not known and content.startswith(b"RIFF"):
        known = "这是图片（WebP）或音频、视频，不是文字。请先转成文字，再粘贴到导入页的文字框里。"
    if not known and content.startswith(OLE):
        known = next((reason for stream, reason in _LEGACY if stream.encode("utf-16-le") in content), "")
    if not known and content.startswith(ZIP):
        known = _why_archive(content)
    return f"“{file_name}”读不了：{known or _why_text(content)}"


def _why_archive(content: bytes) -> str:
    try:
        archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
    except UnreadableFileError as error:
        return str(error)
    found = next((reason for entry, reason in _PACKED if entry in archive), "")
    shown = "、".join(list(archive.names)[:3])
    return (
        found
        or f"这是压缩包，里面没有认得的题库文件（有 {shown or '0 个文件'}）。请上传题库包的原文件，或只把题目文件压缩后上传。"
    )


def _why_text(content: bytes) -> str:
    try:
        text = decode_text(content)[:5000]
    except UnreadableFileError:
        text = ""
    if sum(sign.isprintable() or sign.isspace() for sign in text) * 10 <= len(text) * 9:
        return "认不出这是什么文件，里面不是文字。请确认选对了文件；在原系统另存为 Excel（.xlsx）、Word（.docx）或文本后再上传。"
    is_json = text.lstrip("\ufeff \n\t").startswith(("{", "["))
    return _NO_RECORDS if is_json else _NO_QUESTION
