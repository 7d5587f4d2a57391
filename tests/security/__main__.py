"""`make security`: bandit and semgrep with our own rules (both in `make check` too), known vulnerabilities of what is locked, and the list of components.

Each check ends as clean, faulty or not checked; what could not be checked is said so and is never taken for clean.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = Path(__file__).parent / "rules.yml"
BIN = Path(sys.executable).parent
REASON = re.compile(r"# (?:noqa: S\d+[, S\d]*|nosec).*– .{8,}|# meant: .{8,}|# noqa: S\d+.*(?:likewise|as above)")
CODE = ["examapp", "question_bank", "wsgi.py"]


class CheckVerdict(StrEnum):
    """How a check ended."""

    CLEAN = "clean"
    FAULTY = "FAULTY"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """A check, how it ended, and what it said."""

    name: str
    verdict: CheckVerdict
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tool points at: a place in the code and a rule."""

    path: str
    first: int
    last: int
    rule: str
    text: str

    def has_reason(self) -> bool:
        """Tell whether the lines, or the one before or after them, say why it is meant."""
        lines = (ROOT / self.path).read_text("utf-8").splitlines()[max(0, self.first - 2) : self.last + 1]
        return any(REASON.search(line) for line in lines)

    def __str__(self) -> str:
        return f"{self.path}:{self.first} {self.rule}: {self.text}"


def run(*command: str, limit_s: int = 600, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment, in the project's folder unless another is named."""
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
        env={**os.environ, **environment},
    )


def bandit() -> CheckOutcome:
    """Common faults of Python code, of medium weight and more."""
    done = run("bandit", "-q", "-r", *CODE, "-ll", "-f", "json")
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError):
        return CheckOutcome("bandit", CheckVerdict.NOT_CHECKED, done.stderr[-1000:])
    return judge(
        "bandit",
        [
            Finding(one["filename"], min(one["line_range"]), max(one["line_range"]), one["test_id"], one["issue_text"])
            for one in results
        ],
    )


def scan(*targets: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Read code by the application's own rules; no rule and no version is asked for over the network.

    A rule has two minutes for a file instead of five seconds: this runs below everything else on a busy machine.
    """
    text = ("--config", str(RULES), "--metrics", "off", "--disable-version-check", "--json", "--quiet", "--jobs", "2")
    return run("semgrep", "scan", *text, "--timeout", "120", *targets, folder=folder)


def semgrep() -> CheckOutcome:
    """The project's own rules."""
    done = scan(*CODE)
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        return CheckOutcome("semgrep", CheckVerdict.NOT_CHECKED, done.stderr[-1000:])
    if reply["errors"]:
        return CheckOutcome("semgrep", CheckVerdict.FAULTY, str(reply["errors"])[:2000])
    return judge(
        "semgrep",
        [
            Finding(
                one["path"],
                one["start"]["line"],
                one["end"]["line"],
                one["check_id"].rpartition(".")[2],
                one["extra"]["message"],
            )
            for one in reply["results"]
        ],
    )


def judge(name: str, findings: list[Finding]) -> CheckOutcome:
    """Tell findings with a written reason from those without: a reason stands in the code, behind ruff's word for the same rule."""
    open_ones = [finding for finding in findings if not finding.has_reason()]
    if open_ones:
        return CheckOutcome(name, CheckVerdict.FAULTY, "\n".join(map(str, open_ones)))
    return CheckOutcome(
        name, CheckVerdict.CLEAN, f"{len(findings)} found, each with its reason in the code" if findings else ""
    )


def vulnerabilities() -> CheckOutcome:
    """Known vulnerabilities of all that is locked; without its data source the tool finds none, so that counts as not checked."""
    try:
        done = run(
            "pip-audit",
            "--strict",
            "--disable-pip",
            "--require-hashes",
            "-r",
            "requirements.txt",
            "--progress-spinner",
            "off",
            limit_s=90,
        )
    except subprocess.TimeoutExpired:
        return CheckOutcome("pip-audit", CheckVerdict.NOT_CHECKED, "the source of known vulnerabilities did not answer")
    said = (done.stdout + done.stderr)[-3000:]
    if done.returncode == 0 and "No known vulnerabilities" in said:
        return CheckOutcome("pip-audit", CheckVerdict.CLEAN)
    if "Found " in said and "known vulnerabilit" in said:
        return CheckOutcome("pip-audit", CheckVerdict.FAULTY, said)
    return CheckOutcome(
        "pip-audit",
        CheckVerdict.NOT_CHECKED,
        "the source of known vulnerabilities cannot be reached from here: "
        + (said.strip().splitlines() or [""])[-1][:200],
    )


def components() -> CheckOutcome:
    """The list of components (SBOM, CycloneDX) of what a deployment installs, as build/sbom.json."""
    made = ROOT / "build" / "sbom.json"
    made.parent.mkdir(exist_ok=True)
    made.unlink(missing_ok=True)
    text = ("--output-reproducible", "--of", "JSON", "-o", str(made))
    done = run("cyclonedx-py", "requirements", "requirements.txt", *text)
    is_made = done.returncode == 0 and made.is_file() and made.stat().st_size > 10_000
    return CheckOutcome(
        "cyclonedx", CheckVerdict.CLEAN if is_made else CheckVerdict.FAULTY, "" if is_made else done.stderr[-2000:]
    )


def main(*names: str) -> int:
    """Run all checks, or those that are named; 1 where one is faulty, and under STRICT=1 also where one could not be made."""
    checks = {"bandit": bandit, "semgrep": semgrep, "pip-audit": vulnerabilities, "cyclonedx": components}
    outcomes = [checks[name]() for name in names or checks]
    for outcome in outcomes:
        print(f"{outcome.verdict:<12} {outcome.name}")
        if outcome.text:
            print("    " + outcome.text.replace("\n", "\n    "))
    bad = {CheckVerdict.FAULTY} | ({CheckVerdict.NOT_CHECKED} if os.environ.get("STRICT") == "1" else set())
    return 1 if any(outcome.verdict in bad for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
