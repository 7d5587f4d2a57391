"""What a format cannot say, said in one sentence a question."""

from __future__ import annotations

from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import Question
from question_bank.parse_result import Note
from question_bank.rich import Rich

_NAMES = {
    "points": "分值",
    "images": "图片",
    "model_answer": "参考答案",
    "explanation": "解析",
    "citation": "依据条文",
    "knowledge_points": "知识点",
    "difficulty": "难度",
    "tags": "标签",
    "code": "题号",
    "markup": "排版",
}


def not_written(where: str, question: Question, format_name: str) -> Note:
    """The note on a question that the format cannot say at all."""
    reason = f"{format_name} 格式写不下这道{KIND_NAMES[question.kind]}，没有导出。请改用 QTI 3.0 或 Excel 格式导出。"
    return Note(where, f"{reason}题干：{Rich(question.stem, question.is_html).plain[:30]}", "not_written")


def unsaid(where: str, question: Question, format_name: str, **fields: object) -> list[Note]:
    """One note that names those fields that hold something and that the format has no place for."""
    names = [_NAMES[name] for name, value in fields.items() if value]
    if not names:
        return []
    stem = Rich(question.stem, question.is_html).plain[:20]
    return [Note(where, f"{format_name} 格式写不下：{'、'.join(names)}（题干：{stem}）。", "fields_not_written")]
