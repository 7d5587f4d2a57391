"""The demo county's notice and a piece of feedback."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examapp.demo.operations.county import County
from examapp.messages.models import Feedback, Notice


def add_notices(session: Session, county: County, *, now: datetime) -> None:
    """Insert one published notice and one unanswered opinion."""
    begun = now - timedelta(days=18)
    session.add(
        Notice(
            title="关于组织参加年度学法用法考试的通知",
            body="<p>各单位：年度考试已经开始，请组织本单位应考人员在截止日期前完成。因病、外派等原因不能参加的，请由单位管理员提交免考申请。</p>",
            published_at=begun,
            created_by_id=county.office_id,
            created_at=begun,
        )
    )
    session.add(
        Feedback(
            person_id=county.person_ids[10],
            page="/",
            text="建议模拟考试多放一些案例题。",
            created_at=now - timedelta(days=3),
        )
    )
