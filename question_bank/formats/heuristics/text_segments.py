"""Split a free text into questions, materials and answer sections, line by line with a lookahead."""

import re
from dataclasses import replace

from question_bank.formats.heuristics import text_patterns as patterns
from question_bank.formats.heuristics.answers import count_blanks, looks_like_key
from question_bank.formats.heuristics.stems import split_options, strip_mark, take_truth
from question_bank.formats.heuristics.text_answers import AnswerBlock, answered_numbers, is_answer_line
from question_bank.formats.heuristics.text_fields import ENDING, without_trailer
from question_bank.formats.heuristics.text_lookahead import (
    NEAR,
    SURE,
    Lookahead,
    Material,
    TextBlock,
    answers_after_label,
    has_answer,
    is_entry,
    is_label,
    texts_of,
)
from question_bank.formats.heuristics.text_patterns import Heading, Number, TextLine
from question_bank.formats.heuristics.text_state import Segments, SplitState
from question_bank.model import PICTURE, Note

_STRAY = "选项后面隔着空行还有一段文字“{}”，看不出属于哪道题，没有并入选项。请核对前后两题。"
_COUNTED_MATERIAL = re.compile(
    rf"^[【\[]?(?P<name>材料|资料|案例|案情)\s*(?P<number>[{patterns.CHINESE}]{{1,3}}|\d{{1,3}})"
)
_OF_A_CASE = re.compile(r"某|案情|案例|材料|[甲乙丙]\S{0,4}(?:公司|单位|机关|企业)")
LARGE_JUMP = 5
"""Behind an answer section a number further on than this opens no question by itself."""


def cut(lines: list[TextLine]) -> Segments:
    """Return the segments of a text; its signature, and a channel's closing words, are left out and said."""
    body, trailer = without_trailer(lines)
    segments = _Cutter(body).cut()
    if trailer and segments.blocks:
        wording = "，".join(line.text[:20] for line in trailer[:3])
        segments.remarks.append(
            Note(f"第 {trailer[0].number} 行", f"末尾的“{wording}”不属于任何题，没有导入。", "trailer")
        )
    return segments


class _Cutter(SplitState):
    def cut(self) -> Segments:
        for index, line in enumerate(self.lines):
            if not line.text:
                self.blank_before = True
                continue
            if not ENDING.match(line.text):
                self._take(index, line)
            self.blank_before = False
        self._remark_left()
        return self.found

    def _remark_left(self) -> None:
        """Remark on lines that were left out though they look like a question, or are all that stands below a kind's heading."""
        is_empty = self.fresh and bool(self.heading.kind or self.heading.label)
        for line in self.left:
            number = patterns.read_number(line.text)
            is_numbered = (
                number is not None and number.style not in {"bare", "paren", "chinese"} and len(number.rest) > 3
            )
            if is_numbered or is_empty or take_truth(line.text)[1] or patterns.read_answer_label(line.text):
                reason = f"从“{line.text[:30]}”起有一段像是题目，却没有读成题目。请核对题号和格式。"
                self.found.remarks.append(Note(f"第 {line.number} 行", reason, "text_left_out"))
                break
        self.left = []

    def _take(self, index: int, line: TextLine) -> None:
        sections = (
            self._takes_answer_heading,
            self._takes_material,
            self._takes_law,
            self._takes_heading,
            self._takes_subheading,
        )
        if any(takes(index, line) for takes in sections):
            return
        number = self.numbers[index]
        if number and self._opens(index, number):
            self._open(TextBlock(number.value, [TextLine(line.number, number.rest)]), number.value)
        elif not number and self._opens_unnumbered(index):
            self._open(TextBlock(None, [line]), self.last)
        elif self.mode == "answers":
            self.found.answers[-1].lines.append(line)
        elif self.mode == "material" and self.material:
            self.material.lines.append(line.text)
        elif self.mode == "between" and not patterns.INSTRUCTION.search(line.text):
            self.pending.append(line.text)
            self.left.append(line)
        elif not self._takes_stray(index, line):
            self._take_rest(line, number)

    def _take_rest(self, line: TextLine, number: Number | None) -> None:
        """Add a line to the present question; before the first one it may begin a list of keys."""
        if self.mode == "question" and self.block and not (number and number.style == "bare"):
            self._count_inner(line, number)
            self.block.lines.append(line)
        elif self.mode == "preamble" and is_answer_line(line.text) and not self.found.blocks:
            self._answers("答案")
            self.found.answers[-1].lines.append(line)
        elif self.mode in {"preamble", "between"}:
            self.left.append(line)

    # -- sections -----------------------------------------------------------------------------------------------

    def _takes_answer_heading(self, index: int, line: TextLine) -> bool:
        head = patterns.read_answer_heading(line.text)
        if head is None or not self._is_section(index, colon=head[1]):
            return head is None and self._takes_list(line)
        self._answers(head[0])
        return True

    def _takes_list(self, line: TextLine) -> bool:
        """Return whether the line gives keys of several questions that stood before, though no line of its own heads them."""
        own = answers_after_label(line, self.found.blocks)
        numbers = {number for one in own or [line] for number in answered_numbers(one.text)}
        if len(numbers) < 2 or not numbers <= self.known.keys():
            return False
        is_whole = self.mode == "question" and self.block and not has_answer(self.block) and self._is_complete()
        if not own and not is_whole:
            return False
        self._answers("答案")
        self.found.answers[-1].lines.extend(own or [line])
        return True

    def _answers(self, name: str) -> None:
        self.block, self.material, self.mode = None, None, "answers"
        self.found.answers.append(AnswerBlock(name, len(self.found.blocks)))

    def _is_section(self, index: int, *, colon: bool) -> bool:
        """Return whether the answers of several questions follow, not the answer of the present one."""
        ahead = [place for place in range(index + 1, min(index + NEAR, len(self.lines))) if self.lines[place].text]
        if not ahead or not self.found.blocks:
            return bool(self.found.blocks) or (bool(ahead) and is_answer_line(self.lines[ahead[0]].text))
        first = self.lines[ahead[0]].text
        is_table = any(patterns.ANSWER_TABLE.match(text) for text in (self.lines[index].text, first))
        begins_options = strip_mark(first)[0] == "A" and not looks_like_key(first)
        if begins_options or is_table or is_answer_line(first) or patterns.read_heading(first):
            return not begins_options
        number = self.numbers[ahead[0]]
        if number is None or number.style == "paren":
            is_whole = not colon and self._is_complete()
            return self.block is None or (is_whole and patterns.read_answer_label(first) is None)
        if is_entry(number.rest) if number.rest else self._key_below(ahead[0]):
            return True
        listed = {one.value for place in ahead if (one := self.numbers[place]) and one.style != "paren"}
        if self._are_blanks(listed) or not listed <= self.known.keys() or self._is_complete():
            return listed <= self.known.keys()
        return not colon and sum(not has_answer(block) for block in self.found.blocks[-NEAR:]) > 1

    def _are_blanks(self, listed: set[int]) -> bool:
        """Return whether the numbers are those of all last questions, three at least, each with blanks and without an answer."""
        last = self.found.blocks[-len(listed) :] if len(listed) > 2 else []
        is_open = all(count_blanks("\n".join(texts_of(one))) and not has_answer(one) for one in last)
        return bool(last) and is_open and {block.number for block in last} == listed == set(range(1, len(last) + 1))

    def _takes_heading(self, index: int, line: TextLine) -> bool:
        heading = patterns.read_heading(line.text)
        if heading is None or (self.block and self.mode == "question" and not self._may_head(index, heading)):
            return False
        is_new = self.mode == "answers" and self._begins_new_part(index, heading)
        if self.mode == "answers" and not is_new:
            self.found.answers[-1].lines.append(line)
        self._begin_section(heading, "answers" if self.mode == "answers" and not is_new else "between")
        if not (self.is_law_outer and (heading.kind or heading.label)):
            self.law = ""
        if named := patterns.LAW_BEFORE.match(heading.title):
            self.law = named["law"]
        return True

    def _begin_section(self, heading: Heading, mode: str) -> None:
        self._remark_left()
        self.heading, self.fresh, self.block, self.material, self.inner = heading, True, None, None, 0
        self.mode, self.pending = mode, []

    def _takes_law(self, index: int, line: TextLine) -> bool:
        """Return whether a line names the law of the questions below it; a kind's heading holds on below it where kinds are outer."""
        below = next((place for place in range(index + 1, len(self.lines)) if self.lines[place].text), None)
        number = None if below is None else self.numbers[below]
        is_next = number is not None and number.style in SURE and number.value in {1, self.last + 1 if self.law else 1}
        law = patterns.read_law_heading(line.text, bare=is_next)
        if law is None or below is None or self.mode == "answers" or not self._is_complete():
            return False
        if not (number or patterns.read_heading(self.lines[below].text)):
            return False
        if self.is_law_outer is None:
            self.is_law_outer = not self.heading.title
        self.law = law
        self._begin_section(Heading("", None) if self.is_law_outer else self.heading, "between")
        return True

    def _takes_subheading(self, index: int, line: TextLine) -> bool:
        """Return whether a short line such as `（二） 行政法类` parts the questions of a section, right above the next number."""
        below = next((place for place in range(index + 1, len(self.lines)) if self.lines[place].text), None)
        number = None if below is None else self.numbers[below]
        if below is None or number is None or number.style not in SURE or number.value not in {1, self.last + 1}:
            return False
        title = patterns.read_subheading(line.text)
        is_free = self.mode in {"preamble", "between"} or self.mode == "question"
        if title is None or not is_free or (self.mode == "question" and not self._is_keyed_whole()):
            return False
        ahead = self._ahead(below, number.rest)
        if not (ahead.strong or ahead.asks or self.block is None):
            return False
        self._begin_section(replace(self.heading, title=f"{self.heading.title} {title}".strip()), "between")
        return True

    # -- lines that belong to nothing ---------------------------------------------------------------------------

    def _takes_stray(self, index: int, line: TextLine) -> bool:
        """Return whether a line below a blank one is none of the question's: its options are complete, and nothing marks the line."""
        text = line.text
        is_marked = is_label(text) or strip_mark(text)[0] or patterns.read_meta(text) or looks_like_key(text)
        if self.mode == "stray" and is_marked:
            self.mode, self.pending = "question", []
        if self.mode == "question" and (is_marked or not self._is_stray(index, text)):
            return False
        if self.mode == "question" and self.block:
            self.mode = "stray"
            if not self._is_about_cases():
                self.block.review_reason = _STRAY.format(text[:30])
        if self.mode == "stray":
            self.pending.append(text)
        return self.mode == "stray"

    def _is_stray(self, index: int, text: str) -> bool:
        if self.block is None or not self.blank_before or patterns.FOREIGN.match(text) or PICTURE in text[:2]:
            return False
        if self._in_text():  # behind a key: only what looks like the text of a case, right above a question
            below = next((place for place in range(index + 1, len(self.lines)) if self.lines[place].text), None)
            is_above = below is not None and self.numbers[below] is not None and not self.numbers[index]
            return bool(is_above and self._is_keyed() and _OF_A_CASE.search(text))
        return self._has_options()

    def _begins_new_part(self, index: int, heading: Heading) -> bool:
        """Return whether a heading behind an answer section is of a kind that no question had so far, with no keys below it."""
        following = next((line.text for line in self.lines[index + 1 : index + NEAR] if line.text), "")
        number = patterns.read_number(following)
        if number is None or heading.kind in {None, *(block.kind for block in self.found.blocks)}:
            return False
        return not is_answer_line(following) and not is_entry(number.rest)

    def _may_head(self, index: int, heading: Heading) -> bool:
        """Return whether a line is a heading, and not a point (`一、加强领导`) of an answer in words."""
        is_below_blank = self.blank_before and index + 1 < len(self.lines)
        return bool(heading.kind or heading.label) or is_below_blank or not self._in_text()

    def _takes_material(self, index: int, line: TextLine) -> bool:
        found = patterns.read_material(line.text) or self._shared(line.text)
        number = self.numbers[index]
        if found is None or (number and number.style in {"mark", "word", "loose"} and number.rest):
            return False
        may_follow = self.blank_before or self._is_keyed() or self._is_next_material(line.text)
        if self.block and self._in_text() and not may_follow:
            return False
        first, last, text = found
        if self.mode == "stray" and first:
            self.found.blocks[-1].review_reason = ""
        if self.mode == "material" and self.material and not (first and self.material.first):
            self.material.first, self.material.last = first or self.material.first, last or self.material.last
            if not first:
                self.material.lines.append(line.text)
            return True
        self.block, self.mode = None, "material"
        self.material = Material(first, last, line.text, [text] if text else self.pending if first else [])
        self.left = [] if self.pending and first and not text else self.left
        self.pending = []
        return True

    def _is_next_material(self, text: str) -> bool:
        """Return whether a line such as `案例二` counts on from the present material's `案例一`."""
        above = _COUNTED_MATERIAL.match(self.material.head) if self.material else None
        below = _COUNTED_MATERIAL.match(text)
        if not above or not below or above["name"] != below["name"]:
            return False
        return patterns.to_number(below["number"]) == patterns.to_number(above["number"]) + 1

    def _shared(self, text: str) -> tuple[int, int, str] | None:
        """Return a text that questions share though it is not called so: above `请回答1-2题`, or behind `（一）` in a section of cases."""
        if self.pending or (self.mode == "material" and self.material and not self.material.first):
            return patterns.read_served(text)
        case = patterns.CASE_MARK.match(text) if self.mode != "answers" and self._is_about_cases() else None
        return (0, 0, case["text"]) if case and self._is_complete() else None

    # -- questions ----------------------------------------------------------------------------------------------

    def _opens(self, index: int, number: Number) -> bool:
        if number.style == "paren" or (number.style == "bare" and not self._opens_bare(index)):
            return False
        ahead = self._ahead(index, number.rest)
        if number.style == "chinese":
            in_text = self.block and self._in_text() and not (ahead.answer and self.blank_before)
            return self.mode != "answers" and not in_text and (ahead.strong or number.rest.endswith(("。", "？", "?")))
        if self.mode in {"answers", "skipped"}:
            return self._leaves_answers(index, number, ahead)
        expected = number.value == self.last + 1 or (self.fresh and number.value == 1)
        if number.style == "loose":
            free = self.block is None or self._is_complete() or ahead.strong
            return expected and free and not self._counts_on(number)
        return number.style == "bare" or self._opens_marked(number, ahead, expected=expected)

    def _opens_marked(self, number: Number, ahead: Lookahead, *, expected: bool) -> bool:
        """Return whether `7.` opens a question: by its turn, or by what follows; not as a point of an enumeration."""
        if self.block is None or self.mode != "question":
            served = range(self.material.first, self.material.last + 1) if self.material else ()
            return expected or ahead.strong or self.last == 0 or self.fresh or number.value in served
        if self._counts_on(number):
            return (ahead.strong and self._is_complete()) or (expected and self.blank_before)
        return expected or ((ahead.strong or ahead.asks) and self._is_complete())

    def _counts_on(self, number: Number) -> bool:
        return bool(self.inner) and number.value == self.inner + 1

    def _leaves_answers(self, index: int, number: Number, ahead: Lookahead) -> bool:
        rest = number.rest
        if number.style == "loose" or is_answer_line(self.lines[index].text) or is_entry(rest):
            return False
        if not (ahead.options or ((ahead.answer or ahead.bracket) and not self._is_known(number, rest))):
            return False
        if not self.fresh and number.value > self.last + LARGE_JUMP:
            place = f"第 {self.lines[index].number} 行"
            reason = f"答案区后面有一段像题目的文字（{number.value}、{rest[:20]}），题号与前文相差过大，没有导入。请核对，如是题目请移到答案区前面。"
            self.found.remarks.append(Note(place, reason, "number_jump"))
            self.mode = "skipped"
            return False
        return True

    def _is_known(self, number: Number, rest: str) -> bool:
        """Return whether the line repeats the stem of a question that the answer belongs to."""
        head = re.sub(r"\W+", "", rest[:80])[:8]
        alike = self.known.get(number.value, [])[-NEAR:]
        return any(re.sub(r"\W+", "", block.lines[0].text[:80]).startswith(head) for block in alike)

    def _opens_unnumbered(self, index: int) -> bool:
        """Return whether a line without a number opens a question: the one above is complete, or there is none."""
        text = self.lines[index].text
        if self.mode == "preamble" and not self._is_whole_below(index):
            return False
        following = next((line.text for line in self.lines[index + 1 :] if line.text), "")
        begins_options = strip_mark(following)[0] == "A"
        if self.mode not in {"preamble", "question", "between", "stray"}:
            return False
        is_apart = self.blank_before and begins_options and (self._has_options() or self._is_keyed())
        if self.block and self.block.number is not None and not is_apart:
            return False
        labels = patterns.read_answer_label(text), patterns.read_analysis_label(text)
        if strip_mark(text)[0] or labels != (None, None):
            return False
        if self.mode == "between" and not (self.heading.kind or self.heading.label):
            return False
        begins = begins_options or patterns.read_answer_label(following) is not None
        begins = begins or bool(take_truth(text)[1]) or len(split_options(text)[1]) >= 2
        return begins and (self.block is None or self._is_complete())

    def _open(self, block: TextBlock, value: int) -> None:
        block.section, block.kind, block.label = self.heading.title, self.heading.kind, self.heading.label
        block.answers_before, block.law, block.is_first = len(self.found.answers), self.law, self.fresh
        if self.mode == "stray" and not self._is_about_cases():
            block.review_reason = _STRAY.format(self.pending[0][:30])
        block.material = self._material_for(block)
        self.found.blocks.append(block)
        self.known.setdefault(block.number, []).append(block)
        self.block, self.last, self.inner, self.fresh, self.mode = block, value, 0, False, "question"

    def _material_for(self, block: TextBlock) -> str:
        if self.material is None and self.pending and self._is_about_cases():
            self.material, self.left = Material(0, 0, self.pending[0], self.pending), []
        self._remark_left()
        self.pending, material = [], self.material
        if material is None:
            return ""
        serves = not material.first or (block.number is not None and material.first <= block.number <= material.last)
        if not serves and material.uses:
            self.material = None
        material.uses += serves
        return material.text() if serves else ""
