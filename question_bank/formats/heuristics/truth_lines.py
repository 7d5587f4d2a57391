"""Read `正确` and `错误` on lines of their own below a stem as its two options, with the tick that stands beside one of them."""

import re

_YES = "√✓✔☑✅●"
_MARK = rf"(?:[(（【\[]?\s*[{_YES}×✗✘☒○◯□☐]\s*[)）】\]]?|[(（【\[]\s*[)）】\]])"
_WORD = r"(?P<word>正确|错误|对|错|是|否)"
_BEFORE = re.compile(rf"\s*(?P<mark>{_MARK})?\s*{_WORD}[\s,，;；/|]*")
_AFTER = re.compile(rf"[\s,，;；/|]*{_WORD}\s*(?P<mark>{_MARK})?\s*")
_TIGHT = re.compile(rf"\s[{_YES}×✗✘☒](?=[正错对是否])")
"""A mark between two words that stands nearer to the second one."""
_PAIRS = frozenset({("正确", "错误"), ("错误", "正确"), ("对", "错"), ("错", "对"), ("是", "否"), ("否", "是")})


def take_truth_lines(lines: list[str]) -> tuple[list[str], list[str], str]:
    """Return the lines above two that are 正确 and 错误 (or one line with both), these two words, and the one that is ticked; no words where none stand there."""
    for count in (1, 2):
        if len(lines) <= count:
            break
        choices = _choices(lines[-1]) if count == 1 else [one for line in lines[-2:] for one in _choices(line)[:2]]
        wording = [word for word, _ in choices]
        if tuple(wording) in _PAIRS:
            ticked = [word for word, is_ticked in choices if is_ticked]
            return lines[:-count], wording, ticked[0] if len(ticked) == 1 else ""
    return lines, [], ""


def _choices(line: str) -> list[tuple[str, bool]]:
    """Return the words of a line that holds nothing but them and marks, with whether each is ticked; marks stand all before or all behind their words."""
    for form in (_BEFORE, _AFTER):
        found, end = list[tuple[str, bool]](), 0
        while (match := form.match(line, end)) is not None:
            found.append((match["word"], any(sign in _YES for sign in match["mark"] or "")))
            end = match.end()
        if found and end == len(line):
            is_unsure = form is _AFTER and len(found) > 1 and _TIGHT.search(line)
            return [(word, False) for word, _ in found] if is_unsure else found
    return []


def has_truth_line(stem: str) -> bool:
    """Return whether a stem still holds 正确 or 错误 on a line of its own, or both at its end."""
    lines = stem.split("\n")
    return any(map(_choices, lines[1:])) or bool(re.search(r"(?:正确\s*错误|错误\s*正确)\W*$", lines[-1]))
