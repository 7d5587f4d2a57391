"""Read texts and scoring conditions of QTI 1.x items."""

import html
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from operator import add, mul, sub
from urllib.parse import unquote

from examapp.documents.safe_xml import Element, children, local, text_of
from question_bank.formats.package import Files
from question_bank.formats.parsed import ParsedQuestion, number
from question_bank.rich import Rich, guessed, joined

_BASES = ("$IMS-CC-FILEBASE$", "$IMS_CC_FILE_BASE$", "$IMS_CC_FILEBASE$", "$CANVAS_OBJECT_REFERENCE$")
RESPONSES = frozenset(f"response_{name}" for name in ("lid", "str", "num", "xy", "grp", "extension"))


def material_of(element: Element, *, below_responses: bool = True) -> Rich:
    """Return all material within an element, in order; that of responses only when asked."""
    return joined(list(_pieces(element, below_responses=below_responses)))


def _pieces(element: Element, *, below_responses: bool) -> list[Rich]:
    found: list[Rich] = []
    for child in element:
        name = local(child)
        if name in {"mattext", "matemtext", "mat_formattedtext"}:
            found.append(_text(child))
        elif name == "matimage":
            source = child.get("uri", "")
            if not source and child.get("embedded", "") == "base64":
                source = f"data:{child.get('imagtype', 'image/png')};base64,{text_of(child).strip()}"
            alt = html.escape(child.get("label", ""))
            found.append(Rich(f'<img src="{html.escape(source)}" alt="{alt}">', is_html=True))
        elif name == "matbreak":
            found.append(Rich("<br>", is_html=True))
        elif name in {"mataudio", "matvideo", "matapplet", "matapplication"}:
            found.append(Rich("<object></object>", is_html=True))
        elif name not in {"render_choice", "render_fib", "render_hotspot", "render_slider", "render_extension"} and (
            below_responses or name not in RESPONSES
        ):
            found += _pieces(child, below_responses=below_responses)
    return found


def _text(element: Element) -> Rich:
    text = text_of(element).strip()
    kind = element.get("texttype", "") or element.get("type", "")
    if kind in {"text/html", "text/xhtml", "html", "HTML", "SMART_TEXT"}:
        return Rich(text, is_html=True)
    return Rich(text) if kind == "text/plain" else guessed(text)


def fetch_from(files: Files, source: str) -> tuple[str, bytes] | None:
    """Return a picture by its path: as written, or wherever in the package a path ends so."""
    plain = unquote(html.unescape(source)).partition("?")[0]
    for base in _BASES:
        plain = plain.replace(base, "").removeprefix("/")
    if files.archive is None or "://" in plain:
        return None
    found = files.fetch(plain)
    if found is not None:
        return found
    ends = [name for name in files.archive.names if name.endswith("/" + plain) or name == plain]
    if len(ends) != 1:
        return None
    return ends[0].rpartition("/")[2], files.archive.read(ends[0])


MAX_TRIED = 10
"""With more options than this not every set is tried."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One `respcondition`."""

    tests: tuple[Element, ...]
    sets: tuple[tuple[str, Decimal], ...]
    """Action and value of each `setvar`."""
    goes_on: bool
    shows: tuple[str, ...]
    """Feedback that it shows."""

    @property
    def gain(self) -> Decimal:
        """The points that it sets or adds."""
        return sum((value for action, value in self.sets if action in {"set", "add"}), Decimal(0))


def conditions_of(item: Element) -> list[Condition]:
    """Return the conditions of an item in their order."""
    return [_condition(one) for part in children(item, "resprocessing") for one in children(part, "respcondition")]


def wanted(condition: Condition) -> list[tuple[str, str]]:
    """Return response and value of each `varequal` that must hold, those under `not` left out."""
    return [found for test in condition.tests for found in _equals(test)]


def right_single(names: list[str], response: str, conditions: list[Condition], parsed: ParsedQuestion) -> list[str]:
    """Return the one option with the highest score; two at the top come back both, for the doubt."""
    scores = {name: _score({response: {name}}, conditions) for name in names}
    best = max(scores.values(), default=Decimal(0))
    if best <= 0:
        return []
    if any(0 < score < best for score in scores.values()):
        parsed.add_dropped("partial_credit", "有的选项原来得部分分，导入后只有正确选项得分。")
    if any(score < 0 for score in scores.values()):
        parsed.add_dropped("negative_marks", "错选倒扣分没有保留。")
    return [name for name, score in scores.items() if score == best]


def right_multiple(names: list[str], response: str, conditions: list[Condition], parsed: ParsedQuestion) -> list[str]:
    """Return the set of options that the conditions want; none, and a doubt, when they do not say."""
    giving = [condition for condition in conditions if condition.gain > 0]
    if any(condition.gain < 0 for condition in conditions):
        parsed.add_dropped("negative_marks", "错选倒扣分没有保留。")
    if len(giving) > 1 and len({condition.gain for condition in giving}) > 1:
        parsed.add_dropped("partial_credit", "各正确选项原来的分值不等，导入后按本平台的多选题规则计分。")
    is_plain = all(len(condition.tests) == 1 and local(condition.tests[0]) == "varequal" for condition in giving)
    if giving and (
        is_plain
        or (len(giving) == 1 and not any(local(one) == "or" for test in giving[0].tests for one in test.iter()))
    ):
        found = [value for condition in giving for name, value in wanted(condition) if name == response]
        return list(dict.fromkeys(found))
    if len(names) > MAX_TRIED:
        parsed.require_review("unclear_scoring", "计分规则太复杂，分不清正确答案。请核对答案。")
        return []
    return _best_set(names, response, conditions, parsed)


def _best_set(names: list[str], response: str, conditions: list[Condition], parsed: ParsedQuestion) -> list[str]:
    best, found = Decimal(0), []
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            score = _score({response: set(chosen)}, conditions)
            if score > best:
                best, found = score, [list(chosen)]
            elif score == best and best > 0:
                found.append(list(chosen))
    if len(found) > 1:
        parsed.require_review("unclear_scoring", "不止一种选法得满分，分不清正确答案。请核对答案。")
        return []
    return found[0] if found else []


def _score(responses: dict[str, set[str]], conditions: list[Condition]) -> Decimal:
    score = Decimal(0)
    for condition in conditions:
        if not condition.sets or not all(_holds(test, responses) for test in condition.tests):
            continue
        for action, value in condition.sets:
            score = _CHANGES[action](score, value) if action in _CHANGES else value
        if not condition.goes_on:
            break
    return score


_CHANGES: dict[str, Callable[[Decimal, Decimal], Decimal]] = {"add": add, "subtract": sub, "multiply": mul}
"""By the action of a `setvar`; any other action sets the score."""


def _holds(test: Element, responses: dict[str, set[str]]) -> bool:
    name = local(test)
    inner = [child for child in test if local(child)]
    if name in {"and", "not"}:
        return all(_holds(child, responses) for child in inner) is (name == "and")
    if name == "or":
        return any(_holds(child, responses) for child in inner)
    if name in {"varequal", "varsubset"}:
        return text_of(test).strip() in responses.get(test.get("respident", ""), set())
    return name == "other"


def _equals(test: Element) -> list[tuple[str, str]]:
    if local(test) == "varequal":
        return [(test.get("respident", ""), text_of(test).strip())]
    return [found for child in test for found in _equals(child)] if local(test) != "not" else []


def _condition(element: Element) -> Condition:
    tests = [test for part in children(element, "conditionvar") for test in part if local(test)]
    sets = ((one.get("action", "Set").lower(), number(text_of(one))) for one in children(element, "setvar"))
    shows = [one.get("linkrefid", "") for one in children(element, "displayfeedback")]
    goes_on = element.get("continue", "No").lower() == "yes"
    return Condition(
        tuple(tests), tuple((action, value or Decimal(0)) for action, value in sets), goes_on, tuple(shows)
    )
