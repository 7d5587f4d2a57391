"""Questions as files give them."""

from __future__ import annotations

import io

from PIL import Image as Pillow
from sqlalchemy import select

from examapp.content.questions.models import QuestionVersion
from question_bank import model
from question_bank.model import Kind


def picture(size=(3, 2), *, encoding="PNG", mode="RGB"):
    target = io.BytesIO()
    Pillow.new(mode, size).save(target, encoding)
    return target.getvalue()


def single(stem="谁决定？", **fields):
    return model.Question(
        **({"kind": Kind.SINGLE_CHOICE, "stem": stem, "options": ("甲", "乙", "丙", "丁"), "key": ("B",)} | fields)
    )


def version_of(session, question):
    return session.scalars(select(QuestionVersion).where(QuestionVersion.question_id == question.id)).one()
