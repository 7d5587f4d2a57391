"""Each of the application's own semgrep rules points at what it is for, and at nothing beside it."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.security.__main__ import RULES, scan

SAMPLES = {
    "examapp/delivery/exams/admin_views.py": """
from examapp.db.session import reading, transaction

def show(session, exam_id):
    one = session.get(Exam, exam_id)  # no-thing-by-bare-number-in-a-view
    two = session.get_one(Exam, exam_id, with_for_update=True)  # no-thing-by-bare-number-in-a-view
    three = reading().get(Exam, exam_id)  # no-thing-by-bare-number-in-a-view
    four = db.session.get(Exam, exam_id)  # no-thing-by-bare-number-in-a-view
    five = session.query(Exam).filter_by(id=exam_id)  # no-thing-by-bare-number-in-a-view
    six = Exam.query.get(exam_id)  # no-thing-by-bare-number-in-a-view
    return get_exam(session, exam_id, reach), request.args.get("exam"), NAMES.get(KEY, ""), names.get(word)
""",
    "examapp/delivery/exemptions/views.py": """
def show(exam_id):
    with transaction() as db_session:
        return db_session.get(Exam, exam_id)  # no-thing-by-bare-number-in-a-view
""",
    "examapp/delivery/exams/actions.py": """
def change(session: Session, exam_id: int, *, title: str, actor: Actor, now: datetime) -> Exam:
    exam = session.get(Exam, exam_id)  # no-act-on-a-thing-by-bare-number
    main = session.get_one(Exam, exam.main_exam_id)
    return session.get_one(Exam, exam_id, with_for_update=True)  # no-act-on-a-thing-by-bare-number

def build_export(session: Session, export_id: int, *, now: datetime) -> None:
    export = session.get_one(Export, export_id)
""",
    "examapp/delivery/exams/queries.py": """
def find(session, name):
    session.execute(text(f"SELECT {name}"))  # no-raw-sql-text
    session.execute(f"SELECT {name}")  # no-raw-sql-text
    session.execute("SELECT %s" % name)  # no-raw-sql-text
    text("SELECT " + name)  # no-raw-sql-text
    text("SELECT {}".format(name))  # no-raw-sql-text
    session.connection().exec_driver_sql(f"SELECT {name}")  # no-raw-sql-text
    session.execute(text("SELECT :name"), {"name": name})
""",
    "examapp/web/words.py": """
import os, pickle, subprocess
from flask import render_template, render_template_string
from lxml import etree
from markupsafe import Markup

def show(words):
    Markup(words)  # no-markup
    render_template_string(words)  # no-template-from-text
    render_template("page.html", words=words)
    subprocess.run(words, shell=True)  # no-shell
    subprocess.run(["ls", words])
    os.system(words)  # no-shell
    pickle.loads(words)  # no-unsafe-loading
    eval(words)  # no-unsafe-loading
    etree.fromstring(words)  # no-bare-xml-parser
""",
    "examapp/web/pages.py": """
def rich(words):
    return Markup(clean_html(words))
""",
}
"""Code by its place; a line that must be flagged ends in the name of its rule, and no other line may be."""


@pytest.mark.slow
def test_each_rule_flags_what_it_is_for_and_nothing_else(tmp_path):
    subprocess.run(
        ["git", "init", "-q", str(tmp_path)], check=True
    )  # paths in the rules count from a repository's root
    wanted = set()
    for name, code in SAMPLES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        marks = ((number, re.search(r"  # (no-[\w-]+)$", line)) for number, line in enumerate(code.splitlines(), 1))
        wanted |= {(name, number, mark[1]) for number, mark in marks if mark}
    reply = json.loads(scan("examapp", folder=tmp_path).stdout)
    assert not reply["errors"]
    found = {(one["path"], one["start"]["line"], one["check_id"].rpartition(".")[2]) for one in reply["results"]}
    assert sorted(found - wanted) == []
    assert sorted(wanted - found) == []
    rules = set(re.findall(r"- id: (\S+)", RULES.read_text("utf-8")))
    assert {rule for _, _, rule in found} == rules, "a rule has no sample"
