"""Cases of the demo county's units: some in the library, one that waits for review, one that still names somebody."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from examapp.content.explained_cases.models import ExplainedCase
from examapp.content.explained_cases.rules import CaseState
from examapp.platform.demo_county.rules import DemoCounty

_CASES = (
    (
        "县市场监督管理局",
        CaseState.PUBLISHED,
        "一起未告知听证权利的处罚案",
        "行政处罚法",
        "某餐饮店因使用过期食品原料，被拟处以较大数额罚款。执法人员送达了告知书，但没有写明可以要求听证。",
        "复议机关认为，拟作出较大数额罚款的，应当告知当事人有要求听证的权利；没有告知的，属于程序违法，决定撤销，责令重新处理。",
        "告知书要用统一文本，逐项核对陈述、申辩和听证的权利是否写明。",
    ),
    (
        "县自然资源局",
        CaseState.PUBLISHED,
        "占用耕地建房责令改正案",
        "土地管理法、行政强制法",
        "村民王某未经批准在耕地上打地基，被责令停止建设后继续施工。",
        "执法机关依法立案，催告后申请人民法院强制执行，没有自行拆除。",
        "没有强制执行权的机关应当申请人民法院执行，不能以联合执法代替。",
    ),
    (
        "县公安局",
        CaseState.SUBMITTED,
        "治安调解协议不履行的处理",
        "治安管理处罚法",
        "李某与邻居因排水发生争执互殴，伤情轻微，经调解达成协议后李某拒不履行。",
        "公安机关依法对违反治安管理行为给予处罚，并告知可以就民事争议提起诉讼。",
        "调解不成或不履行的，要及时转入处罚程序，不能久拖不决。",
    ),
    (
        "县水利局",
        CaseState.DRAFT,
        "河道采砂未办许可案",
        "水法、行政许可法",
        "当事人陈小军没有采砂许可证，夜间在河道采砂。",
        "责令停止违法行为，没收违法所得，并处罚款。",
        "夜间巡查要同步录音录像，证据链要完整。",
    ),
)
"""Unit, state, title, laws, facts, holding, lesson; made up."""
_EVERY = timedelta(days=20)


def add_cases(session: Session, county: DemoCounty, *, now: datetime) -> None:
    """Insert the cases of the units that are there."""
    ids = dict(zip((unit.name for unit in county.plan.units), county.unit_ids, strict=True))
    rows = []
    for number, (unit, state, title, laws, facts, holding, lesson) in enumerate(_CASES, 1):
        at, is_in = now - number * _EVERY, state == CaseState.PUBLISHED
        rows.append(
            {
                "unit_id": ids.get(unit),
                "state": state,
                "title": title,
                "laws": laws,
                "facts": facts,
                "holding": holding,
                "lesson": lesson,
                "is_anonymised": is_in,
                "remark": "",
                "version": 1,
                "reviewed_by_id": county.office_id if is_in else None,
                "reviewed_at": at if is_in else None,
                "created_at": at,
                "updated_at": at,
            }
        )
    session.execute(insert(ExplainedCase), [row for row in rows if row["unit_id"] is not None])
