"""Check an evidence pack of an exam: signature, files, receipts, answer history, and every grade of every number.

Standard library only, Python 3.8 or newer, one file. It is written from the rules in the pack's README and shares no code with the program that made
the pack. Usage: python3 verify.py PACK.zip [--key PUBLIC_KEY_HEX] [--attempt NUMBER]. Exit code 0 where everything is right, 1 where something differs,
2 where the file is no pack of this version.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import unicodedata
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import combinations, groupby, islice
from operator import itemgetter

FORMAT = 1
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PLACES = {letter: place for place, letter in enumerate(LETTERS)}
NUMBER = re.compile(r"[0-9零〇一二两三四五六七八九十百千万亿半]+")
SPACES_AND_MARKS = re.compile(r"[\s，。、；：，.,;:“”\"'‘’《》()（）]+")

# Ed25519 (RFC 8032, section 5.1). Points are (X, Y, Z, T) with x = X/Z, y = Y/Z and x * y = T/Z on -x² + y² = 1 + dx²y².
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add_points(one, two):
    """Add two points of the curve."""
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number, point):
    """Multiply a point by a number."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add_points(total, point)
        point = add_points(point, point)
        number >>= 1
    return total


def decode_point(data):
    """Read a point of 32 bytes; None where it is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decode_point(bytes.fromhex("58" + "66" * 31))


def is_signature(public_key, message, signature):
    """Tell whether an Ed25519 signature of 64 bytes is that of a message by a public key of 32 bytes."""
    if len(signature) != 64 or len(public_key) != 32:
        return False
    key, point = decode_point(public_key), decode_point(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if key is None or point is None or number >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    one, two = multiply(number, BASE), add_points(point, multiply(challenge, key))
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0


points_of = lru_cache(maxsize=4096)(Decimal)


@lru_cache(maxsize=4096)
def rounded(value):
    """Round to two places, half up."""
    return Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)


@lru_cache(maxsize=4096)
def written(value):
    """Write points or a percentage as a grade has them."""
    return str(rounded(value))


def canonical(text):
    """Write a filled-in text so that it can be compared."""
    return SPACES_AND_MARKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def accepted(variants, unit):
    """Write what fills a blank: its variants, and each number among them with the unit behind the blank."""
    bare = {canonical(one) for one in variants}
    return bare | {number + canonical(unit) for number in bare if unit and NUMBER.fullmatch(number)}


def is_answered(letter, option_count, response):
    """Tell whether a response counts as answered; an ordering only where every option has its place."""
    if letter == "O":
        return sorted(response) == list(LETTERS[:option_count])
    return any(part.strip() for part in response)


def score_choices(right, chosen, worth, rule):
    """Score a multiple choice by the exam's scoring rule."""
    hits, misses = len(chosen & right), len(chosen - right)
    if chosen == right:
        return worth
    if rule == "net_right":
        return worth * max(0, hits - misses) / len(right)
    if misses or rule == "all_or_nothing":
        return Decimal(0)
    return worth / 2 if rule == "half_for_incomplete" else worth * hits / len(right)


def score_order(right, response, worth, scoring):
    """Score an ordering: the whole order, or by the section's rule the share of pairs in the right order."""
    if list(response) == right:
        return worth
    if scoring != "right_pairs":
        return Decimal(0)
    place = {letter: number for number, letter in enumerate(response)}
    pairs = list(combinations(right, 2))
    return worth * sum(place[first] < place[second] for first, second in pairs) / len(pairs)


def score_part(letter, part, response, worth, rule, scoring):
    """Score an answered response in stored letters by a part of a key, unrounded."""
    if letter == "B":
        units = part.get("units") or [""] * len(part["blanks"])
        hits = sum(canonical(text) in accepted(*blank) for text, *blank in zip(response, part["blanks"], units))
        return worth * hits / len(part["blanks"])
    if letter == "O":
        return score_order(part["key"], response, worth, scoring)
    if letter == "M":
        return score_choices(set(part["key"]), set(response), worth, rule)
    return worth if set(response) == set(part["key"]) else Decimal(0)


def score_item(number, item, grade, pack, ruling, mark):
    """Give points and points possible of an item, by its ruling and by what a person gave, None where there is none."""
    version, letter, worth, asked = item
    treatment = ruling["treatment"] if ruling else None
    if treatment == "void":
        return Decimal(0), Decimal(0)
    if treatment == "full":
        return worth, worth
    if mark is not None:
        return min(Decimal(mark["points"]), worth), worth
    if letter == "W":
        raise ValueError(f"第 {number} 题要由人评阅，却没有评分")
    rule = grade["rules"]["scoring_rule"]
    if ruling is None:
        return pack.score(grade["key_ids"][version], asked, rule), worth
    return max([pack.score(key_id, asked, rule) for key_id in ruling["key_ids"]]), worth


def grade_again(grade, pack):
    """Give what a grade must say, from answers, keys, rulings, marks and rules."""
    items = pack.items_of(grade["attempt"]) if "answers" not in grade else pack.ask(grade["attempt"], grade["answers"])
    rulings = {(str(row["version"]), row["part"]): row for row in map(pack.rulings.__getitem__, grade["ruling_ids"])}
    marks = {pack.marks[i]["item"]: pack.marks[i] for i in grade["mark_ids"]}
    scores = []
    for number, item in enumerate(items, 1):
        ruling = rulings.get((item[0], item[3][0])) if rulings else None
        scores.append(score_item(number, item, grade, pack, ruling, marks.get(number)))
    possible = sum([worth for _, worth in scores], Decimal(0))
    is_annulled = grade["rules"].get("is_annulled", False)
    points = [Decimal(0) if is_annulled else point for point, _ in scores]
    total = sum(points, Decimal(0))
    band = next(
        (name for name, mark in (("excellent", "excellent_percent"), ("good", "good_percent"), ("pass", "pass_percent"))
         if possible and total * 100 >= Decimal(grade["rules"][mark]) * possible),
        "fail",
    )  # fmt: skip
    return {
        "item_points": [written(point) for point in points],
        "points": written(total),
        "points_possible": written(possible),
        "percent": written(total * 100 / possible if possible else Decimal(0)),
        "band": band,
        "is_passed": band != "fail",
    }


def receipt_of(attempt, schema):
    """Give the SHA-256 of an attempt's answered items, as its receipt states it."""
    answered = []
    for item, response in sorted((int(item), response) for item, response in attempt["answers"].items()):
        letter, option_count = schema[3 * item - 3], ord(schema[3 * item - 2]) - 48
        if is_answered(letter, option_count, response):
            answered.append([item, sorted(response) if letter in "SMT" else list(response)])
    text = json.dumps({"attempt": attempt["attempt"], "answers": answered}, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Pack:
    """The rows of a pack by their numbers; papers and attempts stay text until they are needed, since there may be very many."""

    def __init__(self, archive):
        self.archive = archive
        self.papers = {json.loads(line)["paper"]: line for line in self.lines("papers.jsonl")}
        self.attempts = {json.loads(line)["attempt"]: line for line in self.lines("attempts.jsonl")}
        self.keys = {row["key"]: row for row in self.rows("keys.jsonl")}
        self.rulings = {row["ruling"]: row for row in self.rows("rulings.jsonl")}
        self.marks = {row["mark"]: row for row in self.rows("marks.jsonl")}
        self.paper = lru_cache(maxsize=8)(lambda number: json.loads(self.papers[number]))
        self.attempt = lru_cache(maxsize=8)(lambda number: json.loads(self.attempts[number]))
        self.items_of = lru_cache(maxsize=8)(lambda number: self.ask(number, self.attempt(number)["answers"]))
        self.score = lru_cache(maxsize=30000)(self._score)

    def lines(self, name):
        """Yield the lines of a file, read bit by bit."""
        left = b""
        with self.archive.open(name) as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                *whole, left = (left + chunk).split(b"\n")
                yield from whole
        if left:
            yield left

    def rows(self, name):
        """Yield the rows of a file, a few hundred parsed at once."""
        lines = self.lines(name)
        for some in iter(lambda: list(islice(lines, 500)), []):
            rows = json.loads(b"[" + b",".join(some) + b"]")
            if len(rows) != len(some):
                raise ValueError(f"{name}：有的行不是一个 JSON 对象")
            yield from rows

    def ask(self, number, answers):
        """Give of each item of an attempt its question version, kind and points, and what an answered item is scored by: in stored letters."""
        paper = self.paper(self.attempt(number)["paper"])
        schema, items = paper["response_schema"], []
        for section in paper["sections"]:
            for version, part, order, worth in section["items"]:
                letter = schema[3 * len(items)]
                response = answers.get(str(len(items) + 1), ())
                stored = tuple([order[PLACES[each]] for each in response] if order else response)
                asked = (part, letter, len(order), stored, worth, section.get("scoring", ""))
                items.append((str(version), letter, points_of(worth), asked))
        return items

    def _score(self, key_id, asked, rule):
        part, letter, option_count, response, worth, scoring = asked
        if not is_answered(letter, option_count, response):
            return Decimal(0)
        return rounded(score_part(letter, self.keys[key_id]["parts"][part], response, points_of(worth), rule, scoring))


def digest_of(archive, name):
    """Give the SHA-256 of a file, read bit by bit, in hexadecimal."""
    digest = hashlib.sha256()
    with archive.open(name) as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def check_files(archive, public_key):
    """Yield what is wrong with the signature and the files."""
    manifest_bytes = archive.read("manifest.json")
    manifest = json.loads(manifest_bytes)
    signature = bytes.fromhex(archive.read("manifest.sig").decode("ascii").strip())
    key = bytes.fromhex(public_key or manifest["public_key"])
    if not is_signature(key, manifest_bytes, signature):
        yield "manifest.json：签名不符，清单被改过，或者不是用这把钥匙签的"
    names = set(archive.namelist()) - {"manifest.json", "manifest.sig"}
    for name in sorted(names | set(manifest["files"])):
        if name not in manifest["files"]:
            yield f"{name}：清单中没有这个文件"
        elif name not in names:
            yield f"{name}：文件缺失"
        elif digest_of(archive, name) != manifest["files"][name]:
            yield f"{name}：内容与清单的校验值不符"


def fold(rows):
    """Give the newest response to each item, of the history of one attempt."""
    newest = {}
    for row in rows:
        item, found = str(row["item"]), (row["epoch"], row["seq"])
        if item not in newest or found > newest[item][0]:
            newest[item] = (found, row["response"])
    return {item: response for item, (_, response) in newest.items()}


def check_attempts(pack, only):
    """Yield what is wrong with answers and receipts."""
    left = set(pack.attempts) if only is None else {only} & set(pack.attempts)
    for number, rows in groupby(pack.rows("history.jsonl"), itemgetter("attempt")):
        if number in left:
            left.remove(number)
            yield from check_attempt(pack, number, fold(rows))
        elif only in (None, number):
            yield f"history.jsonl：作答 {number} 的记录没有排在一起，或者包中没有这次作答"
    for number in sorted(left):
        yield from check_attempt(pack, number, {})


def check_attempt(pack, number, folded):
    """Yield what is wrong with an attempt, by what its history comes to."""
    attempt = pack.attempt(number)
    if folded != attempt["answers"]:
        yield f"作答 {number}：答案与作答记录不一致"
    if receipt_of(attempt, pack.paper(attempt["paper"])["response_schema"]) != attempt["receipt_sha256"]:
        yield f"作答 {number}：答案与回执的校验值不符"


def check_grades(pack, only, found):
    """Yield what is wrong with grades: with each, and with their numbers; count the current ones into `found`."""
    numbers = {}
    for grade in pack.rows("grades.jsonl"):
        number = grade["attempt"]
        if only not in (None, number):
            continue
        numbers.setdefault(number, []).append((grade["number"], grade["is_current"]))
        found["graded"] += bool(grade["is_current"])
        found["passed"] += bool(grade["is_current"] and grade["is_passed"])
        where = f"作答 {number} 第 {grade['number']} 次评分"
        try:
            made = grade_again(grade, pack)
        except (LookupError, ValueError) as error:
            yield f"{where}：无法重新评分（{error!r}）"
            continue
        wrong = [f"{name} 记为 {grade[name]}，应为 {value}" for name, value in made.items() if grade[name] != value]
        if wrong:
            yield f"{where}：" + "；".join(wrong)
    for number, made in numbers.items():
        if sorted(each for each, _ in made) != list(range(1, len(made) + 1)):
            yield f"作答 {number}：评分的序号不连续"
        if sum(is_current for _, is_current in made) > 1:
            yield f"作答 {number}：现行成绩不止一个"


def check_rows(archive, only):
    """Yield what is wrong with what the files say."""
    pack = Pack(archive)
    found = {"attempts": len(pack.attempts), "graded": 0, "passed": 0}
    yield from check_attempts(pack, only)
    yield from check_grades(pack, only, found)
    if only is None:
        counts = json.loads(archive.read("exam.json"))["counts"]
        for name, number in found.items():
            if counts[name] != number:
                yield f"exam.json：{name} 记为 {counts[name]}，实为 {number}"
    elif only not in pack.attempts:
        yield f"包中没有作答 {only}"


def check(path, public_key=None, only=None):
    """Give everything that is wrong with a pack, in Chinese; raise ValueError for a file that is no pack of this version."""
    with zipfile.ZipFile(path) as archive:
        if json.loads(archive.read("manifest.json")).get("format") != FORMAT:
            raise ValueError(f"这个文件不是第 {FORMAT} 版的证据包，请用与它一起保存的 verify.py 核对。")
        wrong = list(check_files(archive, public_key))
        try:
            wrong += check_rows(archive, only)
        except (LookupError, ValueError) as error:
            if not wrong:
                raise
            wrong.append(f"文件被改过，其余内容无法核对（{error!r}）")
    return wrong


def main():
    """Check a pack and print what differs."""
    parser = argparse.ArgumentParser(description="核对考试证据包")
    parser.add_argument("pack")
    parser.add_argument("--key", help="公钥（十六进制）；不填则用包内的，请与成绩汇总表上的指纹核对")
    parser.add_argument("--attempt", type=int, help="只核对这一次作答")
    options = parser.parse_args()
    try:
        found = check(options.pack, options.key, options.attempt)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        print(f"无法核对：{error}")
        return 2
    print("\n".join(found) if found else "全部相符。")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
