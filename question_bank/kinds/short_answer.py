"""Short answer (简答题): one free text, marked by a person; kept in the bank, not yet drawn into papers."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from question_bank.kinds.base import ZERO, Issue, ItemKey, KeyFields, QuestionKind, ResponseSpec, ScoringRule, Severity
from question_bank.model import Kind, Question


class ShortAnswer(QuestionKind):
    """A free text with a model answer."""

    code = Kind.SHORT_ANSWER
    name = "简答题"
    letter = "W"
    template = "short_answer"
    aliases = (
        "简答", "简", "问答", "论述", "名词解释", "面试", "结构化面试", "公考面试", "公务员面试", "主观", "材料分析", "案例分析", "综合", "综合分析", "分析",
        "计算", "作文", "写作", "公文写作", "简述", "解答", "文书写作", "应用", "实务", "辨析", "short", "short_answer", "essay", "jianda", "subjective",
    )  # fmt: skip
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "essay", "qti-1.2": "essay_question"}
    is_machine_graded = False

    def response_spec(self, *, option_count: int, blank_count: int) -> ResponseSpec:
        """Return a spec of one text."""
        return ResponseSpec(0, 1)

    def iter_key_issues(self, question: Question) -> Iterator[Issue]:
        """Note a missing model answer; the question can be asked without."""
        if not any(text.strip() for text in question.key):
            reason = "文件里没有参考答案，导入后请补上，阅卷时要用。"
            yield Issue(code="no_model_answer", reason=reason, severity=Severity.NOTE)

    def key_json(self, question: Question, *, plain: Callable[[str], str]) -> list[Any]:
        """Return the model answer without markup."""
        return [plain(text) for text in question.key]

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return all points only for the model answer's own words; a marker decides anything else."""
        return key.points if list(response) == list(key.key) else ZERO

    def key_lines(self, key: Sequence[str], blanks: Sequence[Sequence[str]]) -> list[str]:
        """Return the model answer."""
        return [key[0] if key else "未定"]

    def key_of_fields(self, fields: KeyFields) -> tuple[str, ...]:
        """Return the model answer, also where it is empty."""
        return (fields.answer.strip(),)

    def fields_of(self, question: Question) -> KeyFields:
        """Return the model answer."""
        return KeyFields(answer=question.key[0] if question.key else "")

    def simulate(self, key: ItemKey, *, rng: random.Random, chance: Callable[[int], float]) -> list[str]:
        """Leave it open."""
        return []

    def wrong_response(self, key: ItemKey) -> list[str]:
        """Say that one does not know."""
        return ["不记得"]
