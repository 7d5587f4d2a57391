"""Which fields each view reads: written down while it reads them, taken from its page, and from the forms' classes."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urlsplit

import wtforms
from werkzeug.datastructures import ImmutableMultiDict

from examapp.web.forms import FlaskForm, RowList
from tests.architecture.source import ROOT, nodes_of, reads_of_requests


class Read:
    """What one request asked for by name, and whether it walked over all names that were sent."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.is_walked = False


_reads: list[Read] = []


class _Noting(ImmutableMultiDict):
    """What was sent, writing down what is asked for."""

    def _note(self, name):
        for read in _reads:
            read.names.add(str(name))

    def _walk(self):
        """Note that a view looks at all names; Flask-WTF does so at every form, for a token under any prefix."""
        if not sys._getframe(2).f_globals["__name__"].startswith("flask_wtf"):
            for read in _reads:
                read.is_walked = True

    def __contains__(self, name):
        self._note(name)
        return super().__contains__(name)

    def __getitem__(self, name):
        self._note(name)
        return super().__getitem__(name)

    def get(self, name, *rest, **more):  # type: ignore[override] # whatever is passed is passed on
        self._note(name)
        return super().get(name, *rest, **more)

    def getlist(self, name, *rest, **more):  # type: ignore[override] # as above
        self._note(name)
        return super().getlist(name, *rest, **more)

    def __iter__(self):
        self._walk()
        return super().__iter__()

    def keys(self):
        self._walk()
        return super().keys()

    def items(self, *rest, **more):
        self._walk()
        return super().items(*rest, **more)

    def lists(self):
        self._walk()
        return super().lists()


@contextmanager
def noting(app) -> Iterator[None]:
    """Have every request write down what it asks for."""
    kind = app.request_class.parameter_storage_class
    app.request_class.parameter_storage_class = _Noting
    try:
        yield
    finally:
        app.request_class.parameter_storage_class = kind


@contextmanager
def reading() -> Iterator[Read]:
    """Give what is asked for within."""
    read = Read()
    _reads.append(read)
    try:
        yield read
    finally:
        _reads.remove(read)


class _Forms(HTMLParser):
    """The forms of a page: where each is sent to, and what it would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._select = self._text = ""

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        if not self.forms:
            return
        fields, name = self.forms[-1][1], given.get("name", "")
        if tag in {"input", "button"} and name:
            is_chosen = given.get("type") not in {"checkbox", "radio", "submit"} or "checked" in given
            if is_chosen or name not in fields:
                fields[name] = given.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "textarea" and name:
            self._text, fields[name] = name, ""
        elif tag == "option" and self._select and ("selected" in given or not fields.get(self._select)):
            fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._text = ""

    def handle_data(self, data):
        if self._text and self.forms:
            self.forms[-1][1][self._text] += data


def forms_on(page: str, path: str) -> dict[str, str]:
    """Give what the forms of a page that are sent to an address would send."""
    parser = _Forms()
    parser.feed(page)
    found: dict[str, str] = {}
    for action, fields in parser.forms:
        if not action or urlsplit(action).path == path:
            found |= fields
    found.pop("csrf_token", None)
    return found


@cache
def row_names() -> set[str]:
    """Give the names of the fields of a first row of every list of rows in every form."""
    found: set[str] = set()
    for form in _below(FlaskForm):
        for name, made in vars(form).items():
            if getattr(made, "field_class", None) is RowList:
                found |= set(_row(name, made))
    return found


def _row(prefix: str, made) -> Iterator[str]:
    within = made.args[0] if made.args else made.kwargs["unbound_field"]
    if getattr(within, "field_class", None) is wtforms.FormField:
        for name, field in vars(within.args[0]).items():
            if getattr(field, "field_class", None) is RowList:
                yield from _row(f"{prefix}-0-{name}", field)
            elif hasattr(field, "field_class"):
                yield f"{prefix}-0-{name}"
    else:
        yield f"{prefix}-0"


@cache
def prefixes() -> set[str]:
    """Give the beginnings of names and values that the code takes apart: `articles-`, `add_option-` …"""
    found = set()
    for path in reads_of_requests():
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"startswith", "removeprefix"}:
                for word in (inner for argument in node.args for inner in ast.walk(argument)):
                    if (
                        isinstance(word, ast.Constant)
                        and isinstance(word.value, str)
                        and re.fullmatch(r"[a-z_]+[-_:]", word.value)
                    ):
                        found.add(word.value)
    assert {"articles-", "add_option-", "unit-"} <= found, f"looked for in {ROOT}"
    return found


def _below(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)
