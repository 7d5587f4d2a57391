"""Old documents come by way of LibreOffice: within limits, without macros, and with a clear sentence where it is not there."""

import io
import os
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank import office
from question_bank.sandbox import ChildReader

ODT = "application/vnd.oasis.opendocument.text"
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
    assert not _left([first, second]) and not Path(place).exists()


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


@pytest.mark.slow
@needs_writer
def test_libreoffice_that_stops_in_the_middle_is_killed_with_its_children(program, monkeypatch):
    """Stop the real program by a signal, as a deadlock would; it and its starter are gone afterwards."""
    office_bin = shutil.which("soffice")
    folder = program(
        f'{office_bin} "$@" & until pid=$(pgrep -g $$ soffice.bin); do sleep 0.05; done; kill -STOP $pid; pgrep -g $$ > "$(dirname "$0")/pids"; wait'
    )
    monkeypatch.setattr(office, "MAX_SECONDS", 8)
    with pytest.raises(UnreadableFileError, match="已经停下"):
        office.to_word(RTF, "a.rtf")
    pids = (folder / "pids").read_text().split()
    assert len(pids) > 1 and not _left(pids)


@pytest.mark.slow
@needs_writer
def test_document_that_takes_too_long_is_given_up_and_nothing_of_libreoffice_is_left(monkeypatch):
    long = RTF.replace(rb"\par}", rb"\par" + rb"{\b x}\par " * 200_000 + rb"}")
    monkeypatch.setattr(office, "MAX_SECONDS", 2)
    started: list[int] = []
    popen = subprocess.Popen

    def noted(*args, **kwargs):
        process = popen(*args, **kwargs)
        started.append(process.pid)
        return process

    monkeypatch.setattr(subprocess, "Popen", noted)
    with pytest.raises(UnreadableFileError, match="已经停下"):
        office.to_word(long, "a.rtf")
    assert started and not _left([*started, *map(int, _group(started[0]))])


def _left(pids):
    """Return the processes that still live after five seconds."""
    deadline = time.monotonic() + 5
    while (left := [pid for pid in pids if _lives(pid)]) and time.monotonic() < deadline:
        os.sched_yield()
    return left


def _group(leader):
    """Return the processor time, in ticks, of each living process in a group."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found[stat.parent.name] = int(fields[11]) + int(fields[12])
    return found


def with_macro(line):
    """Return an .odt that runs a line of Basic when it is opened, where its reader lets it."""
    text = "urn:oasis:names:tc:opendocument:xmlns:"
    names = " ".join(f'xmlns:{name}="{text}{name}:1.0"' for name in ("office", "text", "script"))
    names += ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dom="http://www.w3.org/2001/xml-events" xmlns:ooo="http://openoffice.org/2004/office"'
    event = '<script:event-listener script:language="ooo:script" script:event-name="dom:load" xlink:href="vnd.sun.star.script:Standard.M.Main?language=Basic&amp;location=document" xlink:type="simple"/>'
    body = "".join(f"<text:p>{one}</text:p>" for one in ("1. 谁做？", "A. 甲", "B. 乙", "答案：B"))
    library = 'xmlns:library="http://openoffice.org/2000/library" library:name="Standard"'
    entries = {
        "content.xml": f'<office:document-content {names} office:version="1.2"><office:scripts><office:event-listeners>{event}</office:event-listeners></office:scripts><office:body><office:text>{body}</office:text></office:body></office:document-content>',
        "Basic/script-lc.xml": '<library:libraries xmlns:library="http://openoffice.org/2000/library"><library:library library:name="Standard" library:link="false"/></library:libraries>',
        "Basic/Standard/script-lb.xml": f'<library:library {library} library:readonly="false" library:passwordprotected="false"><library:element library:name="M"/></library:library>',
        "Basic/Standard/M.xml": f'<script:module xmlns:script="http://openoffice.org/2000/script" script:name="M" script:language="StarBasic">Sub Main\n{line}\nEnd Sub</script:module>',
    }
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="text/xml"/>' for path in entries
    )
    entries["META-INF/manifest.xml"] = (
        f'<manifest:manifest xmlns:manifest="{text}manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="{ODT}"/>{listed}</manifest:manifest>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", ODT)
        for path, content in entries.items():
            archive.writestr(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{content}')
    return packed.getvalue()


def opened(folder, content, settings, sign):
    """Open a document in LibreOffice with these settings, wait until a sign is there or it rests; return whether the sign is there."""
    (folder / "profile" / "user").mkdir(parents=True)
    (folder / "profile" / "user" / "registrymodifications.xcu").write_text(settings, "utf-8")
    (folder / "a.odt").write_bytes(content)
    command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    process = subprocess.Popen([*command, str(folder / "a.odt")], start_new_session=True)
    deadline, used, resting = time.monotonic() + 90, {}, 0
    try:
        while resting < 10 and not sign.exists() and time.monotonic() < deadline:
            with pytest.raises(subprocess.TimeoutExpired):  # it does not end by itself
                process.wait(timeout=0.3)
            before, used = used, _group(process.pid)
            is_open = (folder / ".~lock.a.odt#").exists()
            resting = resting + 1 if is_open and sum(used.values()) - sum(before.values()) < 2 else 0
        assert sign.exists() or resting  # waits: until LibreOffice has loaded the document and rests
        return sign.exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
@needs_writer
def test_macro_runs_where_libreoffice_may_run_it_and_neither_with_our_settings_nor_in_a_conversion(tmp_path):
    sign = tmp_path / "ran"
    content = with_macro(f'Open "{sign}" For Output As #1 : Print #1, "x" : Close #1')
    permissive = office._SETTINGS.replace("<value>true", "<value>false").replace("<value>3", "<value>0")
    assert opened(tmp_path / "permissive", content, permissive, sign)
    sign.unlink()
    assert not opened(tmp_path / "ours", content, office._SETTINGS, sign)
    with ChildReader() as reader:
        reading = reader.read(content, "a.odt", "auto")
    assert [(one.question.stem, one.question.key) for one in reading.imported] == [("谁做？", ("B",))]
    assert not sign.exists()
