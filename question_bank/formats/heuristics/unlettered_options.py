"""Read options without letters: lines with circled signs, short lines below a stem, lines of which the right ones are marked `（正确答案）`."""

import re

from question_bank.formats.heuristics import stems
from question_bank.formats.heuristics.answers import fold, looks_like_key, read_letters, read_truth
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS

_SHORT_LINE = re.compile(r"[^。；;！!？?]{1,40}")
_LISTED = re.compile(r"[、,，;；\n]\s*|(?<=[①-⑩])(?=[①-⑩])")
_MARKED_RIGHT = re.compile(r"\s*[(（【\[]\s*(?:正确答案|正确选项)\s*[)）】\]]\s*$")


def take_marked_options(lines: list[str]) -> tuple[list[str], list[tuple[str, str]], str]:
    """Return the stem's line, the options below it and the key's letters where some of the lines end in `（正确答案）` and none has a letter; no options elsewhere.

    `对` and `错` are left to be read as what they are, the mark of the right one as a tick.
    """
    below = lines[1:]
    right = [bool(_MARKED_RIGHT.search(line)) for line in below]
    texts = [_MARKED_RIGHT.sub("", line).strip() for line in below]
    if not any(right) or any(stems.strip_mark(line)[0] for line in below):
        return lines, [], ""
    if all(read_truth(text) is not None for text in texts):
        return (
            [lines[0], *(f"{text} √" if is_right else text for text, is_right in zip(texts, right, strict=True))],
            [],
            "",
        )
    if not 2 <= len(below) <= len(OPTION_LETTERS) or not all(texts):
        return lines, [], ""
    lettered = list(zip(OPTION_LETTERS, texts, strict=False))
    return (
        lines[:1],
        lettered,
        "".join(letter for (letter, _), is_right in zip(lettered, right, strict=True) if is_right),
    )


def read_circled_options(parsed: ParsedQuestion) -> bool:
    """Make options of the lines `①…`, `②…` that end the stem where the answer is in their words or signs; return whether there are any."""
    first, *lines = parsed.stem_text.split("\n")
    options = [line[1:].strip(" .、．") for line in lines]
    if not 2 <= len(lines) <= len(OPTION_LETTERS) or not all(options):
        return False
    signs = [line[:1] for line in lines]
    if signs != [chr(ord("①") + place) for place in range(len(lines))]:
        return False
    folded = [fold(text) for text in options]
    named = [parsed.answer] if fold(parsed.answer) in folded else _LISTED.split(parsed.answer.strip(" 。.；;"))
    places = [
        folded.index(fold(one)) if fold(one) in folded else signs.index(one) if one in signs else -1 for one in named
    ]
    if not places or -1 in places or len(set(places)) < len(places):
        return False
    parsed.stem_text, parsed.lettered = first, list(zip(OPTION_LETTERS, options, strict=False))
    parsed.answer = "".join(OPTION_LETTERS[place] for place in sorted(places))
    return True


def read_plain_options(parsed: ParsedQuestion) -> bool:
    """Make options of the short lines below the stem where the answer is a letter within them; return whether there are any."""
    if looks_like_key(parsed.answer) and read_truth(parsed.answer) is None:
        letters = read_letters(parsed.answer, count=len(OPTION_LETTERS)) or ()
        stem, options = stems.split_glued(parsed.stem_text, letters)
        if options:
            parsed.stem_text, parsed.lettered = stem, options
            return True
    first, *lines = parsed.stem_text.split("\n")
    is_named = parsed.answer and not fold(parsed.answer).isdigit()
    letters = (read_letters(parsed.answer, count=len(lines)) if is_named else None) or ()
    if not letters or not 2 <= len(lines) <= 8 or not all(_SHORT_LINE.fullmatch(line) for line in lines):
        return False
    if OPTION_LETTERS.index(letters[-1]) >= len(lines):
        return False
    parsed.stem_text = first
    bare = [line[1:].strip() for line in lines]
    is_lettered = all(bare) and all(line[0] == letter for line, letter in zip(lines, OPTION_LETTERS, strict=False))
    parsed.lettered = list(zip(OPTION_LETTERS, bare if is_lettered else lines, strict=False))
    if not is_lettered:
        reason = f"选项没有字母，题干下面的 {len(lines)} 行各作了一项；如果题干或某个选项占了两行，答案会错位。请核对。"
        parsed.add_dropped("options_by_line", reason)
    return True
