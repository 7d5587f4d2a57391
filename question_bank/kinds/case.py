"""Case (案例题): a common text and sub-questions of the other kinds; only these are answered and scored."""

from __future__ import annotations

from collections.abc import Iterator

from question_bank.kinds.base import Issue, QuestionKind, Severity
from question_bank.model import Kind, Question


class Case(QuestionKind):
    """A set of sub-questions; the stem is their common text."""

    code = Kind.CASE
    name = "案例题"
    template = "case"
    aliases = ("案例", "材料", "组合", "复合", "题组", "题干", "共用题干", "阅读理解", "案例题干", "大题", "case")
    is_part = False

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield a case without sub-questions, or within a case."""
        if not question.parts:
            yield Issue(code="no_parts", reason="案例题没有小题。请补上小题后再导入。", severity=Severity.REJECT)
        if any(part.kind is self.code for part in question.parts):
            reason = "案例题的小题不能又是案例题，没有导入。请拆成两道案例题。"
            yield Issue(code="nested_case", reason=reason, severity=Severity.REJECT)
