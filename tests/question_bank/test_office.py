"""Old documents come by way of LibreOffice: within limits, without macros, and with a clear sentence where it is not there."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank import office
from question_bank.sandbox import ChildReader

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
RTF = rb"{\rtf1\ansi\ansicpg936 1. \u35841?\u20570?\par A. \u30002?\par B. \u20057?\par \u31572?\u26696?: B\par}"


def ole(*streams):
    return OLE + bytes(500) + b"".join(stream.encode("utf-16-le") for stream in streams)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a script in the place of LibreOffice."""

    def put(script):
        (tmp_path / "soffice").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "soffice").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path

    return put


def test_where_libreoffice_is_missing_the_sentence_says_what_the_file_is_and_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    for content, what in ((ole("WordDocument"), ".doc"), (RTF, "RTF")):
        with pytest.raises(UnreadableFileError) as raised:
            office.to_word(content, "题库.doc")
        assert all(
            word in str(raised.value) for word in (what, "没有安装", "另存为 .docx", "粘贴", "libreoffice-writer-nogui")
        )


def test_libreoffice_without_its_word_processor_is_named_as_such_and_not_the_file_as_damaged(program):
    folder = program("exit 1")
    for path in ("program", "share/registry"):
        (folder / path).mkdir(parents=True)
    (folder / "soffice").rename(folder / "program" / "soffice")
    (folder / "soffice").symlink_to(folder / "program" / "soffice")
    with pytest.raises(UnreadableFileError, match=r"没有安装其中的文字处理部分（Writer）.*libreoffice-writer-nogui"):
        office.to_word(RTF, "a.rtf")


def test_files_that_no_conversion_helps_say_why_and_others_pass_untouched():
    for content, why in ((ole("EncryptedPackage"), "密码"), (ole("PowerPoint Document"), "演示文稿")):
        with pytest.raises(UnreadableFileError, match=why):
            office.to_word(content, "a.doc")
    for content in (b"1. text", ole("Workbook"), b"PK\x03\x04"):
        assert office.to_word(content, "a.txt") == (content, "a.txt", "")


def test_program_that_hangs_is_killed_with_its_children_and_leaves_no_folder(program, monkeypatch):
    folder = program(
        'echo $$ > "$(dirname "$0")/pids"; sleep 300 & echo $! >> "$(dirname "$0")/pids"; pwd >> "$(dirname "$0")/pids"; wait'
    )
    monkeypatch.setattr(office, "MAX_SECONDS", 1)
    with pytest.raises(UnreadableFileError, match="已经停下"):
        office.to_word(RTF, "a.rtf")
    first, second, place = (folder / "pids").read_text().split()
    deadline = time.monotonic() + 5
    while any(_lives(pid) for pid in (first, second)) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _lives(first) and not _lives(second) and not Path(place).exists()


def _lives(pid):
    """Return whether a process runs; one that is dead and not yet collected does not."""
    try:
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_program_that_fails_is_a_damaged_file_and_runs_without_macros_and_links(program):
    folder = program(
        'for one in "$@"; do case "$one" in -env:*) cp "${one#-env:UserInstallation=file://}/user/registrymodifications.xcu" "$(dirname "$0")/set";; esac; done; ulimit -v > "$(dirname "$0")/limit"; exit 1'
    )
    with pytest.raises(UnreadableFileError, match="转换不了"):
        office.to_word(RTF, "a.rtf")
    settings = (folder / "set").read_text()
    assert all(
        f'"{name}" oor:op="fuse"><value>true' in settings
        for name in ("DisableMacrosExecution", "DisableActiveContent", "BlockUntrustedRefererLinks")
    )
    assert (folder / "limit").read_text().strip() == "4000000"


needs_writer = pytest.mark.skipif(
    shutil.which("soffice") is None or not office._has_writer(shutil.which("soffice")),
    reason="LibreOffice Writer is not installed (apt-get install libreoffice-writer)",
)


@pytest.mark.slow
@needs_writer
def test_old_documents_are_read_question_by_question(tmp_path):
    (tmp_path / "a.rtf").write_bytes(RTF)
    contents = {"a.rtf": RTF}
    for suffix in ("doc", "odt"):
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", suffix]
        subprocess.run([*command, "--outdir", str(tmp_path), str(tmp_path / "a.rtf")], check=True, timeout=120)
        contents[f"a.{suffix}"] = (tmp_path / f"a.{suffix}").read_bytes()
    contents["a.wps"] = contents["a.doc"]
    with ChildReader() as reader:
        for name, content in contents.items():
            reading = reader.read(content, name, "auto")
            assert [(one.question.stem, one.question.key) for one in reading.imported] == [("谁做", ("B",))], name
            assert [note.code for note in reading.remarks] == ["converted"], name
