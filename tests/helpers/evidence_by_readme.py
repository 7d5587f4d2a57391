"""A second program over an evidence pack, written from the pack's README alone: it shares nothing with the program nor with the script in the pack."""

from __future__ import annotations

import json
import unicodedata
import zipfile
from fractions import Fraction

_FIGURES = set("0123456789零〇一二两三四五六七八九十百千万亿半")
_DROPPED = set("，。、；：.,;:“”\"'‘’《》()（）")
_BANDS = (("excellent", "excellent_percent"), ("good", "good_percent"), ("pass", "pass_percent"))


def grades_by_readme(path):
    """Give what the README makes of every grade: by attempt and number, the results that it says a grade has."""
    with zipfile.ZipFile(path) as archive:
        files = {
            name: [json.loads(line) for line in archive.read(name).decode().splitlines()]
            for name in archive.namelist()
            if name.endswith(".jsonl")
        }
    tables = {
        name: {row[name]: row for row in files[f"{name}s.jsonl"]}
        for name in ("paper", "key", "ruling", "mark", "attempt")
    }
    return {(grade["attempt"], grade["number"]): _grade(grade, tables) for grade in files["grades.jsonl"]}


def _grade(grade, tables):
    attempt = tables["attempt"][grade["attempt"]]
    paper = tables["paper"][attempt["paper"]]
    answers = grade.get("answers", attempt["answers"])
    items = [(section.get("scoring", ""), *item) for section in paper["sections"] for item in section["items"]]
    found, possible = [], Fraction(0)
    for number, item in enumerate(items, 1):
        schema = paper["response_schema"][3 * number - 3 : 3 * number]
        points, counted = _item(grade, tables, number, item, schema, answers.get(str(number), []))
        found.append(Fraction(0) if grade["rules"].get("is_annulled") else points)
        possible += counted
    points, rules = sum(found, Fraction(0)), grade["rules"]
    reached = [name for name, line in _BANDS if possible and points * 100 >= Fraction(rules[line]) * possible]
    band = reached[0] if reached else "fail"
    return {
        "item_points": [_written(each) for each in found],
        "points": _written(points),
        "points_possible": _written(possible),
        "percent": _written(points * 100 / possible if possible else Fraction(0)),
        "band": band,
        "is_passed": band != "fail",
    }


def _item(grade, tables, number, item, schema, response):
    scoring, version, part, order = item[:4]
    worth = Fraction(item[4])
    rulings = [tables["ruling"][each] for each in grade["ruling_ids"]]
    ruling = {(each["version"], each["part"]): each for each in rulings}.get((version, part))
    treatment = ruling and ruling["treatment"]
    if treatment in {"void", "full"}:
        return (Fraction(0), Fraction(0)) if treatment == "void" else (worth, worth)
    for mark in (tables["mark"][each] for each in grade["mark_ids"]):
        if mark["item"] == number:
            return min(Fraction(mark["points"]), worth), worth
    kind, option_count = schema[0], ord(schema[1]) - 48
    if option_count:
        response = [order[ord(letter) - ord("A")] for letter in response]
    is_answered = any(each.strip() for each in response)
    if kind == "O":
        is_answered = len(set(response)) == option_count
    if not is_answered:
        return Fraction(0), worth
    key_ids = ruling["key_ids"] if ruling else [grade["key_ids"][str(version)]]
    keys = [tables["key"][key_id]["parts"][part] for key_id in key_ids]
    return max(_half_up(worth * _share(kind, key, response, grade["rules"], scoring)) for key in keys), worth


def _share(kind, key, response, rules, scoring):
    if kind == "B":
        units = key.get("units", [""] * len(key["blanks"]))
        blanks = zip(response, key["blanks"], units, strict=False)
        return Fraction(sum(_fills(text, ways, unit) for text, ways, unit in blanks), len(key["blanks"]))
    if kind == "O":
        pairs = [(a, b) for place, a in enumerate(key["key"]) for b in key["key"][place + 1 :]]
        kept = sum(response.index(a) < response.index(b) for a, b in pairs)
        is_whole = response == key["key"]
        return Fraction(kept, len(pairs)) if scoring == "right_pairs" and not is_whole else Fraction(is_whole)
    chosen, right = set(response), set(key["key"])
    hits, misses, rule = len(chosen & right), len(chosen - right), rules["scoring_rule"]
    if chosen == right or kind in "ST":
        return Fraction(chosen == right)
    if rule == "net_right":
        return Fraction(max(0, hits - misses), len(right))
    share = {"all_or_nothing": Fraction(0), "half_for_incomplete": Fraction(1, 2)}.get(rule, Fraction(hits, len(right)))
    return Fraction(0) if misses else share


def _fills(text, ways, unit):
    ways = [_plain(way) for way in ways]
    with_unit = [way + _plain(unit) for way in ways if set(way) <= _FIGURES]
    return _plain(text) in ways + with_unit


def _plain(text):
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if not each.isspace() and each not in _DROPPED).casefold()


def _half_up(value):
    return Fraction((value * 200 + 1) // 2, 100)


def _written(value):
    cents = int(_half_up(value) * 100)
    return f"{cents // 100}.{cents % 100:02}"
