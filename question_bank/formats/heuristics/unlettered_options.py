"""Read options without letters: lines with circled signs, and short lines below a stem."""

import re

from question_bank.formats.heuristics import stems
from question_bank.formats.heuristics.answers import fold, looks_like_key, read_letters, read_truth
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS

_SHORT_LINE = re.compile(r"[^。；;！!？?]{1,40}")
_LISTED = re.compile(r"[、,，;；\n]\s*|(?<=[①-⑩])(?=[①-⑩])")


def read_circled_options(parsed: ParsedQuestion) -> bool:
    """Make options of the lines `①…`, `②…` that end the stem where the answer is in their words or signs; return whether there are any."""
    first, *lines = parsed.stem_text.split("\n")
    options = [line[1:].strip(" .、．") for line in lines]
    if not 2 <= len(lines) <= len(OPTION_LETTERS) or not all(options):
        return False
    signs = {chr(ord("①") + place): place for place in range(len(lines))}
    by_text = {fold(text): place for place, text in enumerate(options)}
    if [line[:1] for line in lines] != [*signs] or len(by_text) < len(options):
        return False
    named = [parsed.answer] if fold(parsed.answer) in by_text else _LISTED.split(parsed.answer.strip(" 。.；;"))
    places = {by_text.get(fold(one), signs.get(one)) for one in named}
    found = [place for place in range(len(lines)) if place in places]
    if len(found) < len(named):
        return False
    parsed.stem_text, parsed.lettered = first, list(zip(OPTION_LETTERS, options, strict=False))
    parsed.answer = "".join(OPTION_LETTERS[place] for place in found)
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
