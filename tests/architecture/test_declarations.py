"""What a feature declares stands in its own files and is whole: permissions, labels of audited acts, menu, tasks with their schedule."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

from examapp.jobs.registry import QueueName, beat_schedule, task_routes
from examapp.organisation.access.rules import PERMISSION_HOLDERS
from examapp.organisation.accounts.guards import access_rule
from examapp.platform.audit.rules import ACT_LABELS, OBJECT_LABELS
from tests.architecture.source import nodes_of

CODE = Path(__file__).parents[2] / "examapp"
PYTHON = {path: path.read_text("utf-8") for path in sorted(CODE.rglob("*.py"))}
ACT = re.compile(r"[a-z_]+[.][a-z_]+")
PERMISSION = re.compile(r"""["']([a-z]+:[a-z]+:[a-z]+)["']""")


def in_the_code(wanted):
    """Give what `wanted` finds in the syntax trees of all files, with the file."""
    return {
        (found, str(path.relative_to(CODE.parent)))
        for path in PYTHON
        for node in nodes_of(path)
        for found in wanted(node)
    }


def test_every_recorded_act_has_a_label_in_the_feature_that_records_it():
    def acts(node):
        if isinstance(node, ast.Constant) and "INSERT INTO audit_events" in str(node.value):
            return set(re.findall(rf"'({ACT.pattern})'", str(node.value)))
        is_record = isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")).lstrip(
            "_"
        ).startswith(("record", "note", "log"))
        return (
            {a.value for a in node.args if isinstance(a, ast.Constant) and ACT.fullmatch(str(a.value))}
            if is_record
            else ()
        )

    found = in_the_code(acts)
    assert {"people.sign_in", "people.sign_out"} <= {act for act, _ in found}
    missing = [
        f"{act} is recorded in {path}: add its Chinese label to AUDIT_ACTS of that file"
        for act, path in sorted(found)
        if act not in ACT_LABELS
    ]
    assert not missing, "\n".join(missing)


def test_every_object_of_an_audited_act_has_a_label():
    def objects(node):
        is_object = isinstance(node, ast.keyword) and node.arg == "object_type" and isinstance(node.value, ast.Constant)
        return {node.value.value} if is_object else ()

    missing = [
        f"{name} is an object of an act in {path}: add its Chinese label to AUDIT_OBJECTS of that file"
        for name, path in sorted(in_the_code(objects))
        if name not in OBJECT_LABELS
    ]
    assert not missing, "\n".join(missing)


def test_every_permission_that_code_or_a_page_asks_for_is_declared_by_a_feature(app):
    texts = PYTHON | {path: path.read_text("utf-8") for path in sorted(CODE.rglob("*.html"))}
    asked = {(name, str(path.relative_to(CODE))) for path, text in texts.items() for name in PERMISSION.findall(text)}
    views = {(str(access_rule(view)), endpoint) for endpoint, view in app.view_functions.items()}
    missing = [
        f"{name} is asked for in {where}: declare it, with the roles that hold it, in PERMISSIONS of its feature's admin_views.py"
        for name, where in sorted(asked | {(name, where) for name, where in views if ":" in name})
        if name not in PERMISSION_HOLDERS
    ]
    assert not missing, "\n".join(missing)
    unused = [name for name in PERMISSION_HOLDERS if sum(text.count(f'"{name}"') for text in PYTHON.values()) < 2]
    assert not unused, f"take out of PERMISSIONS, nothing asks for it: {unused}"


def test_every_menu_entry_has_a_position_of_its_own(app):
    positions = [entry.position for entry in app.extensions["menu"]]
    assert len(positions) == len(set(positions)), "two menu entries have one position: give one of them another number"


def test_every_task_is_declared_with_queue_and_schedule_in_its_feature():
    bare = [str(path.relative_to(CODE)) for path, text in PYTHON.items() if "shared_task" in text]
    assert bare == ["jobs/registry.py"], (
        f"declare a task by @task(name, queue=…, every_s=…) of jobs/registry.py: {bare}"
    )

    def sent(node):
        is_sent = isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"publish", "enqueue_after_commit"}
        return (
            {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)} if is_sent else ()
        )

    missing = [
        f'{name} is sent in {path}: add @task("{name}", queue=…) to tasks.py of its feature'
        for name, path in sorted(in_the_code(sent))
        if name not in task_routes
    ]
    assert not missing, "\n".join(missing)
    code = "".join(PYTHON.values())
    idle = [
        f"nothing sends {name}: give its @task an every_s=…, how often it runs, in seconds"
        for name in task_routes.keys() - beat_schedule.keys()
        if code.count(f'"{name}"') <= code.count(f'@task("{name}"')
    ]
    assert not idle, "\n".join(idle)


def test_every_queue_has_a_task_each_half_minute_by_which_its_worker_shows_that_it_lives():
    for queue in get_args(QueueName):
        of_queue = [entry for name, entry in beat_schedule.items() if task_routes[name]["queue"] == queue]
        assert any(entry["schedule"] <= 30 for entry in of_queue), (
            f"give a @task of queue {queue} every_s=30 or less: the supervisor restarts a worker without a heartbeat"
        )
