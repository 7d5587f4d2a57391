"""The map in docs/architecture.md lists every feature, each once, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GROUPS = ("organisation", "content", "delivery", "learning", "oversight", "platform")
FILES = re.compile(
    r"(views|admin_views|api|cli|tasks|forms|render_[a-z]+|actions|queries|models|rules|guards|session|oidc|audit_trail|__init__)[.]py"
)


def _features() -> set[tuple[str, str]]:
    return {
        (group, folder.name)
        for group in GROUPS
        for folder in (ROOT / "examapp" / group).iterdir()
        if (folder / "__init__.py").exists()
    }


def test_the_map_lists_each_feature_once():
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    listed = re.findall(r"^[|] ([a-z]+) [|] `([a-z_]+)` [|]", text, re.MULTILINE)
    assert len(listed) == len(set(listed)), "a feature stands in the table twice"
    missing, gone = _features() - set(listed), set(listed) - _features()
    assert not missing, f"add a row to the table in docs/architecture.md: {sorted(missing)}"
    assert not gone, f"take out of the table in docs/architecture.md, the folder is gone: {sorted(gone)}"


def test_a_feature_holds_only_the_files_of_its_layers_and_no_folder():
    odd = [
        str(path.relative_to(ROOT))
        for group, feature in _features()
        for path in (ROOT / "examapp" / group / feature).iterdir()
        if path.name != "__pycache__" and not FILES.fullmatch(path.name)
    ]
    assert not odd, f"a feature is one flat folder of the known files (docs/architecture.md): {odd}"


def test_files_that_the_map_and_the_guide_for_contributors_name_are_there():
    gone = [
        f"{page}: {path}"
        for page in ("docs/architecture.md", "CONTRIBUTING.md")
        for path in re.findall(r"`([a-z_]+/[a-z_/]+[.](?:py|html|js))\b", (ROOT / page).read_text("utf-8"))
        if not any((root / path).exists() for root in (ROOT, ROOT / "examapp"))
    ]
    assert not gone, f"name the file where it is now: {gone}"


def test_a_decision_record_is_half_a_page_of_question_decision_and_consequence():
    odd = []
    for path in sorted((ROOT / "docs/decisions").glob("*.md")):
        text = path.read_text("utf-8")
        missing = [part for part in ("Question", "Decision", "Consequence") if f"**{part}.**" not in text]
        if missing or text.count("\n") > 30:
            odd.append(f"{path.name}: {text.count(chr(10))} lines of 30; missing: {', '.join(missing) or 'nothing'}")
    assert not odd, "measurements belong into benchmarks/results:\n" + "\n".join(odd)
