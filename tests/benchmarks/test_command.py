"""`make bench` as a command: a topic that cannot run is a row with its reason, and the others go on."""

from __future__ import annotations

import json

import pytest

from benchmarks import __main__ as command
from benchmarks.figures import at_least, at_most


class _Topic:
    """A topic that gives these figures, or fails with this error."""

    def __init__(self, figures=(), error: Exception | None = None) -> None:
        self.figures, self.error = figures, error

    def measure(self):
        if self.error:
            raise self.error
        return list(self.figures)


@pytest.fixture
def topics(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(command, "_end_with_parent", lambda: None)
    broken = _Topic(error=FileNotFoundError("/usr/bin/chromium"))
    sound = _Topic(figures=[at_most("a save", 1.0, 2.0, "ms")])
    monkeypatch.setattr(command, "ALONE", {"bank": broken, "reports": sound})
    return lambda: json.loads((tmp_path / "bench.json").read_text("utf-8"))


def test_a_topic_that_cannot_run_is_a_row_with_its_reason_and_the_others_go_on(topics, capsys):
    assert command.main(["bank", "reports"]) == 1
    assert [(row["name"], row["error"]) for row in topics()] == [
        ("bank: not measured", "FileNotFoundError: /usr/bin/chromium"),
        ("a save", ""),
    ]
    assert "FileNotFoundError: /usr/bin/chromium  ✗" in capsys.readouterr().out


def test_sound_topics_alone_end_well(topics):
    assert command.main(["reports"]) == 0
    assert [row["value"] for row in topics()] == [1.0]


def test_a_deployment_that_does_not_start_is_a_row_of_each_topic_that_needed_it(topics, monkeypatch):
    def failing(_folder):
        raise OSError("no room")

    monkeypatch.setattr(command, "deploy", failing)
    assert command.main(["saving", "pages", "reports"]) == 1
    assert [row["name"] for row in topics()] == ["a save", "pages: not measured", "saving: not measured"]


def test_an_unknown_topic_is_rejected_before_anything_is_started(topics, capsys):
    assert command.main(["savings"]) == 2
    assert "known: saving" in capsys.readouterr().err


def test_a_limit_of_nothing_is_kept_by_nothing_alone():
    kept = [at_most("calls", value, 0, "").is_kept for value in (0, 14)]
    assert [*kept, at_most("s", 2, 2, "").is_kept, at_least("s", 1.9, 2, "").is_kept] == [True, False, True, False]
