"""Convert documents of old and foreign word processors (.doc, .wps, .rtf, .odt) to Word's by LibreOffice, where it is installed.

LibreOffice runs in a folder of its own that is deleted afterwards, without macros, links or network proxies, under limits of time and memory; it is killed
with all its children when it takes longer.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath

from examapp.documents.archives import ZIP, UnreadableFileError, open_archive
from examapp.documents.workbooks import OLE

MAX_BYTES = 30 * 1024 * 1024
MAX_SECONDS = 90
"""Of wall time; of CPU time two thirds."""
_LIMITS = 'ulimit -c 0 && ulimit -t 60 && ulimit -v 4000000 && ulimit -f 800000 && exec "$@"'
"""No core file, 60 s of CPU time, 4 GB of memory, files of at most 400 MB: for the shell that becomes LibreOffice."""
_PACKAGE = "libreoffice-writer-nogui"
"""The Debian package that is enough."""
_OPEN_IN_WORD = "请用 Word 或 WPS 打开，另存为 .docx 后再导入；也可以复制题目，粘贴到导入页的文字框里。"
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop>
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
</item></oor:items>
"""


@dataclass(frozen=True, slots=True)
class OldDocument:
    """A document that must be converted before it is read: what it is in words, and the suffix by which LibreOffice knows it."""

    label: str
    suffix: str


def find_old_document(content: bytes) -> OldDocument | None:
    """Return what kind of old or foreign document the bytes are; None for all others.

    Raises UnreadableFileError for office files that no conversion helps: locked ones and presentations.
    """
    if content.startswith(OLE):
        if _holds(content, "EncryptedPackage") or _holds(content, "EncryptionInfo"):
            raise UnreadableFileError("文件加了密码，打不开。请用 Office 或 WPS 打开，去掉密码后另存，再导入。")
        if _holds(content, "PowerPoint Document"):
            raise UnreadableFileError("这是演示文稿（.ppt），不是题库。请复制题目，粘贴到导入页的文字框里。")
        return OldDocument("旧版 Word 或 WPS 文档（.doc、.wps）", ".doc") if _holds(content, "WordDocument") else None
    if content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{\\rtf"):
        return OldDocument("RTF 文档", ".rtf")
    if content.startswith(ZIP) and b"mimetypeapplication/vnd.oasis.opendocument.text" in content[:300]:
        return OldDocument("OpenDocument 文档（.odt）", ".odt")
    return None


def _holds(content: bytes, stream: str) -> bool:
    """Return whether a compound file has a stream or storage of that name in its directory."""
    return stream.encode("utf-16-le") in content


def to_word(content: bytes, name: str) -> tuple[bytes, str, str]:
    """Return the bytes and name of a document as Word has it, and what it was before; all others unchanged, with an empty text.

    Raises UnreadableFileError with what to do where LibreOffice is not installed, fails or hangs.
    """
    old = find_old_document(content)
    if old is None:
        return content, name, ""
    if len(content) > MAX_BYTES:
        raise UnreadableFileError(f"这是{old.label}，超过 {MAX_BYTES // 1024 // 1024} MB，转换不了。{_OPEN_IN_WORD}")
    if content.startswith(ZIP):
        open_archive(content)  # keeps the limits, or is refused before LibreOffice unpacks it
    program = shutil.which("soffice") or shutil.which("libreoffice")
    missing = "它" if program is None else "" if _has_writer(program) else "其中的文字处理部分（Writer）"
    if program is None or missing:
        reason = f"这是{old.label}，要由服务器上的 LibreOffice 转换，而服务器没有安装{missing}。{_OPEN_IN_WORD}"
        raise UnreadableFileError(f"{reason}（管理员可安装 Debian 软件包 {_PACKAGE}。）")
    return _convert(program, content, old), f"{PurePath(name).stem}.docx", old.label


def _has_writer(program: str) -> bool:
    """Return False where LibreOffice is installed with other parts only, such as Calc."""
    registry = Path(program).resolve().parent.parent / "share" / "registry"
    return not registry.is_dir() or Path(registry, "writer.xcd").is_file()


def _convert(program: str, content: bytes, old: OldDocument) -> bytes:
    with tempfile.TemporaryDirectory(prefix="office-", ignore_cleanup_errors=True) as folder:
        source, profile, out = Path(folder, f"source{old.suffix}"), Path(folder, "profile"), Path(folder, "out")
        source.write_bytes(content)
        Path(profile, "user").mkdir(parents=True)
        Path(profile, "user", "registrymodifications.xcu").write_text(_SETTINGS, "utf-8")
        options = ["--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck", "--nofirststartwizard"]
        profile_option = f"-env:UserInstallation={profile.as_uri()}"
        target = ["--convert-to", "docx:MS Word 2007 XML", "--outdir", str(out), str(source)]
        if not _run([program, *options, profile_option, *target], folder):
            raise UnreadableFileError(f"这是{old.label}，转换了 {MAX_SECONDS} 秒还没有完成，已经停下。{_OPEN_IN_WORD}")
        with contextlib.suppress(OSError):
            return Path(out, "source.docx").read_bytes()
        raise UnreadableFileError(f"这是{old.label}，文件已损坏或加了密码，转换不了。{_OPEN_IN_WORD}")


def _run(command: list[str], folder: str) -> bool:
    """Run a command in a session of its own, and kill all that is left of it; return whether it ended in time."""
    dead_proxy = "http://127.0.0.1:9"
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder, "LC_ALL": "C.UTF-8",
        "http_proxy": dead_proxy, "https_proxy": dead_proxy, "ftp_proxy": dead_proxy,
    }  # fmt: skip
    process = subprocess.Popen(
        ["/bin/sh", "-c", _LIMITS, "sh", *command],
        cwd=folder, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        process.wait(timeout=MAX_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return True
