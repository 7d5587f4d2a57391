"""Bodies and words of an address by the OpenAPI document: what a call is usually sent, and every place in it where an odd value can stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from examapp.platform.api_document.api import DOCUMENT

HOLE = "@@"
"""Stands in a body where the odd value is written."""
_OF_FORMAT = {"date": "2026-11-24", "date-time": "2026-11-24T12:00:00+08:00"}
Place = tuple[str | int, ...]


def operation_of(rule: str, method: str) -> dict[str, Any]:
    """Give what the document says of a call; empty where it says nothing of it."""
    return DOCUMENT["paths"].get(rule.replace("<int:", "{").replace(">", "}"), {}).get(method.lower(), {})


def body_shape(operation) -> dict[str, Any] | None:
    """Give the schema of a call's body; None for a call that takes none."""
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(content["application/json"]["schema"]) if content else None


def text_of(operation) -> list[str]:
    """Give the words that a call takes in its address."""
    return [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]


def resolved(schema) -> dict[str, Any]:
    """Give a schema itself, instead of a reference to it."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def usual(schema, given: dict[str, Any], name: str = "") -> Any:
    """Make a value that a schema allows, with all its fields; `given` holds values by the name of a field."""
    if name in given:
        return given[name]
    schema = resolved(schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return usual(schema[choice][0], given)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {key: usual(each, given, key) for key, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [usual(schema["items"], given)]
    if kind == "string":
        return _OF_FORMAT.get(schema.get("format", ""), "x")
    return {"integer": schema.get("minimum", 1), "number": 1, "boolean": False}.get(kind or "")


def places_in(value, at: Place = ()) -> Iterator[Place]:
    """Give every place of a body: the whole, each field, each element of a list, all the way down."""
    yield at
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, within in steps:
        yield from places_in(within, (*at, step))


def with_odd(value, place: Place, odd: str) -> str:
    """Write a body as JSON, with an odd value (JSON itself) at a place."""
    return json.dumps(_put(value, place, HOLE)).replace(f'"{HOLE}"', odd)


def _put(value, place: Place, new) -> Any:
    if not place:
        return new
    step, *rest = place
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = _put(copy[step], tuple(rest), new)
    return copy
