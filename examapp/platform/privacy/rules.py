"""The register: exams, study and the responsibility system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from examapp.config import Settings
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.documents.spreadsheets import as_words
from examapp.organisation.access.rules import ROLE_NAMES
from examapp.platform.audit.rules import act_words
from examapp.platform.data_inventory import rules as data_inventory_rules
from examapp.platform.data_inventory.rules import DataCategory, RetentionPolicy, hide, words

_EXAM, _STUDY, _DUTY = "考试", "学习", "普法责任制"
_OFFICES = "本人、本单位管理员、普法办"

WORK_HOLDINGS = (
    DataCategory(
        table="attempts", title="考试作答", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="started_at",
        purpose="进行考试，统计参考情况",
        shown=words(
            "exam_id=考试 number=第几次 unit_id=作答时单位 state=状态 started_at=开始时间 deadline_at=截止时间 submitted_at=交卷时间"
            " is_forced=系统强制交卷 answered=已答题数 total=总题数 receipt_number=回执编号 receipt_sha256=回执校验值"
        ),
        hidden=hide(technical="id person_id paper_id closes_at epoch response_schema unsure grading_retry_count grading_began_at quarantined_at"),
    ),
    DataCategory(
        table="answers", title="答案", group=_EXAM, owner="attempt_id", term=RetentionPolicy.RESULTS, seen_by="本人；更正答案时由程序重新评分", order="saved_at",
        purpose="评分", shown=words("attempt_id=作答编号 item=题号 response=答案 saved_at=保存时间"), hidden=hide(technical="epoch seq"),
    ),
    DataCategory(
        table="answer_history", title="改过的答案", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="发生争议时由普法办查证", order="saved_at",
        purpose="证明每次保存都已收到", shown=words("attempt_id=作答编号 item=题号 response=答案 saved_at=保存时间"),
        hidden=hide(technical="id person_id epoch seq"),
    ),
    DataCategory(
        table="attempt_events", title="考试页面的情况", group=_EXAM, owner="attempt_id", term=RetentionPolicy.RESULTS, seen_by="普法办", order="received_at",
        purpose="记录切屏、断网，发生争议时查证",
        shown=words("attempt_id=作答编号 type=情况 client_at=本机时间 duration_ms=毫秒 received_at=收到时间"), hidden=hide(technical="n"),
    ),
    DataCategory(
        table="attempt_contacts", title="考试中最近一次联系", group=_EXAM, owner="attempt_id", term=RetentionPolicy.RESULTS, seen_by="普法办（考试日页面）",
        purpose="考试日看出谁掉线", shown=words("attempt_id=作答编号 seen_at=时间"),
    ),
    DataCategory(
        table="quarantined_saves", title="迟到的答案", group=_EXAM, owner="attempt_id", term=RetentionPolicy.RESULTS, seen_by="普法办", order="received_at",
        purpose="由普法办决定是否采纳",
        shown=words("attempt_id=作答编号 reason=原因 received_at=收到时间 is_accepted=已采纳 judged_at=决定时间 judged_reason=理由"),
        hidden=hide(technical="id epoch changes digest", others="judged_by_id"),
    ),
    DataCategory(
        table="attempt_reopenings", title="重新打开的作答", group=_EXAM, owner="attempt_id", term=RetentionPolicy.RESULTS, seen_by="普法办", order="reopened_at",
        purpose="补时的依据", shown=words("attempt_id=作答编号 seconds=秒数 reason=理由 reopened_at=时间 is_after_keys=答案已公布"),
        hidden=hide(technical="id request_key", others="reopened_by_id"),
    ),
    DataCategory(
        table="grades", title="成绩", group=_EXAM, owner="attempt_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="graded_at", needs_release=True,
        purpose="公布成绩，统计合格率；更正答案后重新评分",
        shown=words(
            "attempt_id=作答编号 points=得分 points_possible=总分 percent=百分比 band=等次 is_passed=合格 is_current=现行成绩"
            " reason=评分原因 graded_at=评分时间"
        ),
        hidden=hide(technical="id number key_ids regrade_id", with_keys="item_points", others="graded_by_id"),
    ),
    DataCategory(
        table="external_results", title="其他平台的成绩", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="taken_at",
        needs_release=True, purpose="省里等统一组织的考试成绩与本平台的一并统计",
        shown=words(
            "exam_id=考试 source=来源 unit_id=计入时单位 points=得分 points_possible=总分 percent=百分比 band=等次 is_passed=合格"
            " taken_at=考试日期 recorded_at=计入时间 undone_at=撤销时间"
        ),
        hidden=hide(technical="id person_id import_id replaced_by_id", others="recorded_by_id"),
    ),
    DataCategory(
        table="result_import_rows", title="导入的成绩文件中的行", group=_EXAM, owner=None, term=RetentionPolicy.RESULTS, seen_by="导入的普法办人员",
        purpose="按身份证号、工号对人，对不上的由普法办核对；身份证号只留后四位",
        shown=words("name=姓名 unit_name=单位 staff_number=工号 id_tail=身份证号后四位 points=成绩 outcome=结果 reason=说明"),
        hidden=hide(technical="id import_id line person_id candidates is_decided"),
    ),
    DataCategory(
        table="admissions", title="开考排队", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="无人", order="queued_at",
        purpose="人多时依次放行", shown=words("exam_id=考试 queued_at=排队时间 called_at=叫号时间 admitted_at=放行时间"),
        hidden=hide(technical="person_id ticket"),
    ),
    DataCategory(
        table="prepared_papers", title="备好的试卷", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="无人",
        purpose="开考时不用等待组卷", shown=words("exam_id=考试 number=第几次"), hidden=hide(technical="person_id", before_start="paper_id"),
    ),
    DataCategory(
        table="study_clearances", title="学习达标", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="cleared_at",
        purpose="学完规定内容才能开考", shown=words("exam_id=考试 cleared_at=达标时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="makeup_eligibilities", title="补考资格", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, needs_release=True,
        purpose="确定谁参加补考", shown=words("exam_id=补考 reason=原因"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="stats_invalidations", title="统计标记", group=_EXAM, owner=None, term=RetentionPolicy.DAYS, seen_by="无人查看，由程序在十秒左右用完即删",
        purpose="记下谁的作答、成绩或名册刚有变动，以便重算其单位的人数", shown={}, hidden=hide(technical="id exam_id unit_id person_id"),
    ),
    DataCategory(
        table="exemptions", title="免考、缓考", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="requested_at",
        purpose="审批免考、缓考，从应考人数中扣除；理由可能涉及健康状况，只给审批所需的人看",
        shown=words(
            "exam_id=考试 kind=类别 reason=理由 requested_at=申请时间 approved_at=批准时间 refused_at=退回时间 withdrawn_at=撤回时间 answer=答复"
        ),
        hidden=hide(technical="id person_id file_id", others="requested_by_id approved_by_id"),
    ),
    DataCategory(
        table="roster_snapshot_people", title="冻结的考试名册", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES,
        purpose="参考率、合格率按冻结日的名册计算，以后调动不影响",
        shown=words("exam_id=考试 unit_id=单位 rank=职级 position=职务 excuse=免考缓考"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="roster_corrections", title="冻结名册的更正", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="accepted_at",
        purpose="冻结后发现名册有误，逐人更正并留下依据",
        shown=words("exam_id=考试 old_unit_id=原单位 old_excuse=原情况 new_unit_id=现单位 new_excuse=现情况 reason=理由 accepted_at=时间"),
        hidden=hide(technical="id person_id", others="accepted_by_id"),
    ),
    DataCategory(
        table="exam_audiences", title="指定参加的考试", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="普法办",
        purpose="按名单安排考试", shown=words("exam_id=考试"), hidden=hide(technical="id unit_id sector_unit_id ranks person_id blueprint_id"),
    ),
    DataCategory(
        table="exam_extensions", title="个人延长的时间", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="普法办", order="granted_at",
        purpose="补偿停电、断网", shown=words("exam_id=考试 seconds=秒数 reason=理由 granted_at=时间 is_after_keys=答案已公布"),
        hidden=hide(technical="id request_key unit_id person_id applied_at", others="granted_by_id"),
    ),
    DataCategory(
        table="exam_reminders", title="考试提醒", group=_EXAM, owner="person_id", term=RetentionPolicy.RESULTS, seen_by=_OFFICES, order="reminded_at",
        purpose="同一天不重复提醒", shown=words("exam_id=考试 reminded_on=日期 group=提醒时的情况 reminded_at=时间"),
        hidden=hide(technical="person_id", others="reminded_by_id"),
    ),
    DataCategory(
        table="certificates", title="证书", group=_EXAM, owner="person_id", term=RetentionPolicy.OFFICE, seen_by=f"{_OFFICES}；持证书编号的人可核验真伪", order="issued_at",
        purpose="证明考试或学习合格，并可核验",
        shown=words(
            "number=编号 name=姓名 unit_name=单位 heading=名称 words=正文 result=结果 signer=落款 issued_on=日期 issued_at=发证时间"
            " withdrawn_at=撤销时间 withdrawn_why=撤销原因"
        ),
        hidden=hide(technical="id plan_id person_id unit_id digest grade_id replaces_id", unreadable="salt", others="issued_by_id"),
    ),
    DataCategory(
        table="course_people", title="指定学习的课程", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="普法办",
        purpose="按名单安排课程", shown=words("course_id=课程"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="chapter_progress", title="章节学习", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人；单位只看是否完成", order="read_at",
        purpose="接着上次的地方学，判断是否学完（不计时长）",
        shown=words("chapter_id=章节 pages_opened=看过的页 read_at=读完时间 passed_at=练习通过时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="course_completions", title="完成的课程", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by=_OFFICES, order="completed_at",
        purpose="计学分", shown=words("course_id=课程 year=年度 is_required=必修 credits=学分 completed_at=完成时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="exercise_runs", title="章节练习", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人", order="started_at",
        purpose="判断章节是否学会",
        shown=words(
            "chapter_id=章节 exam_id=考试 number=第几次 pass_count=要求答对 started_at=开始时间 finished_at=完成时间"
            " right_count=答对 is_passed=通过"
        ),
        hidden=hide(technical="id person_id started_on"),
    ),
    DataCategory(
        table="practice_items", title="练习过的题", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人", order="drawn_at",
        purpose="安排练习", shown=words("question_id=试题 drawn_at=出题时间 response=答案 answered_at=作答时间 is_unsure=标为不确定"),
        hidden=hide(technical="id person_id question_version_id part order run_id wanted key_number", in_mistakes="is_right"),
    ),
    DataCategory(
        table="review_cards", title="错题本", group=_STUDY, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="本人；单位只看 5 人以上的合计", order="answered_at",
        purpose="安排复习", shown=words("question_id=试题 exam_id=考试 is_right=上次答对 lapses=答错次数 answered_at=上次作答 due_at=下次复习"),
        hidden=hide(technical="person_id part stability difficulty item_id"),
    ),
    DataCategory(
        table="harvested_attempts", title="记入错题本的考试", group=_STUDY, owner="person_id", term=RetentionPolicy.RESULTS, seen_by="无人", order="harvested_at",
        purpose="一次考试的错题只记入一次", shown=words("exam_id=考试 harvested_at=记入时间"), hidden=hide(technical="attempt_id person_id grade_id"),
    ),
    DataCategory(
        table="due_counts", title="待复习题数", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人", order="counted_at",
        purpose="首页提示", shown=words("due=题数 counted_at=统计时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="question_notes", title="收藏和笔记", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人", order="updated_at",
        purpose="本人自用", shown=words("question_id=试题 is_favourite=收藏 note=笔记 updated_at=更新时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="event_attendances", title="学法活动签到", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by=_OFFICES, order="noted_at",
        purpose="记入学法档案", shown=words("event_id=活动 unit_id=单位 way=方式 noted_at=时间"),
        hidden=hide(technical="person_id", others="noted_by_id"),
    ),
    DataCategory(
        table="event_code_tries", title="签到码输错次数", group=_STUDY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="无人",
        purpose="防止猜签到码", shown=words("event_id=活动 wrong=次数 first_at=第一次"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="study_events", title="学法活动的主讲人", group=_STUDY, owner=None, term=RetentionPolicy.OFFICE, seen_by="参加活动的单位",
        purpose="活动台账", shown=words("theme=主题 speaker=主讲人 created_by_id=经办人"),
        hidden=hide(
            technical="id unit_id kind laws place audience summary starts_at ends_at state code_opened_at code_closes_at created_at updated_at",
            unreadable="code_seed",
        ),
    ),
    DataCategory(
        table="duty_items", title="责任清单上的责任人", group=_DUTY, owner=None, term=RetentionPolicy.OFFICE, seen_by="本单位、普法办；审核公布后向社会公开",
        purpose="谁执法谁普法责任清单依规须写明责任领导和责任人", shown=words("leader=责任领导 person=责任人 department=责任处室"),
        hidden=hide(
            technical="id list_id source_id position kind content audience carrier measures standard key_on due_on withdrawn_at version created_at updated_at"
        ),
    ),
    DataCategory(
        table="duty_assessment_reviewers", title="担任评议人", group=_DUTY, owner="person_id", term=RetentionPolicy.OFFICE, seen_by="普法办", order="added_at",
        purpose="安排评议", shown=words("assessment_id=考核编号 added_at=时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="duty_assessment_reviews", title="评议打分", group=_DUTY, owner="reviewer_id", term=RetentionPolicy.OFFICE, seen_by="普法办", order="reviewed_at",
        purpose="计算考核得分", shown=words("sheet_id=考核表 item_id=项目 points=打分 remark=意见 reviewed_at=时间"), hidden=hide(technical="reviewer_id"),
    ),
    DataCategory(
        table="duty_votes_taken", title="已参加民主测评", group=_DUTY, owner="person_id", term=RetentionPolicy.OFFICE, seen_by="无人",
        purpose="一人一票；投了什么不记名，查不出来", shown=words("assessment_id=考核编号 unit_id=单位"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="duty_reminders", title="普法事项提醒", group=_DUTY, owner="person_id", term=RetentionPolicy.STUDY, seen_by="普法办", order="created_at",
        purpose="到期前提醒责任人", shown=words("stage=阶段 for_day=日期 created_at=时间"),
        hidden=hide(technical="id item_id person_id", others="asked_by_id"),
    ),
)  # fmt: skip

HOLDINGS: tuple[DataCategory, ...] = (*data_inventory_rules.HOLDINGS, *WORK_HOLDINGS)
"""Every table that holds personal data. A house test holds it against the schema, column by column."""
GROUPS = tuple(dict.fromkeys(holding.group for holding in HOLDINGS))
"""In the order in which they are read."""
BY_TABLE = {holding.table: holding for holding in HOLDINGS}

STAFF_TABLES = frozenset({
    "answer_keys", "blueprints", "certificate_plans", "roster_change_requests", "course_editions", "courses", "distinct_pairs", "duplicate_searches",
    "duty_assessment_revisions", "duty_assessment_sheets", "duty_assessments", "duty_lists", "duty_records", "exams", "notices", "practice_marks",
    "question_flags", "question_imports", "question_versions", "questions", "regrades", "rehearsals", "report_schedules", "report_templates", "retention_runs",
    "result_imports", "unit_changes",
})  # fmt: skip
"""Tables of the office's work, personal only in that they name by number who handled something (`…_by_id`)."""
WITHOUT_PERSONS = frozenset({
    "audit_archives", "audit_seals", "blueprint_sections", "certificate_plan_courses", "certificate_templates", "chapter_articles", "chapter_files", "chapters",
    "citations", "daily_questions", "duty_assessment_items", "duty_assessment_scores", "duty_key_days", "duty_plan_periods", "duty_record_files", "duty_vote_tallies",
    "event_materials", "exam_sessions", "roster_snapshot_units", "exemption_reasons", "heartbeats", "unit_stats_cache", "knowledge_points", "law_articles", "law_versions",
    "laws", "media", "papers", "platform_flags", "practice_holds", "worker_heartbeats", "question_knowledge_points", "question_searches",
    "question_uses", "unit_weaknesses", "unit_mastery", "units",
})  # fmt: skip
"""Tables that hold nothing about anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For how long things are kept, as the settings say."""

    leaver_days: int
    result_years: int
    sign_in_days: int
    audit_days: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Terms:
        """Read the terms out of the settings, which were checked at the start."""
        return cls(
            leaver_days=settings.keep_leavers_days,
            result_years=settings.keep_results_years,
            sign_in_days=settings.keep_sign_ins_days,
            audit_days=settings.keep_audit_days,
        )

    def words(self, term: RetentionPolicy) -> str:
        """Say a term for people."""
        return {
            RetentionPolicy.LEAVER: f"在册期间；离开名册满 {self.leaver_days} 天后清除号码、账号和登录记录",
            RetentionPolicy.RESULTS: f"考试结束满 {self.result_years} 年后匿名：与姓名脱离，只留作统计",
            RetentionPolicy.STUDY: f"在册期间；离开名册满 {self.result_years} 年后删除",
            RetentionPolicy.SIGN_INS: f"{self.sign_in_days} 天",
            RetentionPolicy.AUDIT: f"{self.audit_days} 天（不少于 200 天），到期归档",
            RetentionPolicy.FILES: "30 天以内，到期自动删除",
            RetentionPolicy.DAYS: "几分钟至 30 天，用完即删",
            RetentionPolicy.WITH_PERSON: "本人停用、删除，或账号清除时删除",
            RetentionPolicy.OFFICE: "按档案管理规定，由普法办留存",
        }[term]


_VALUES = {
    "on_roster": "在册",
    "off_roster": "不参加考试",
    "left": "已离开",
    "join": "登记",
    "transfer": "调动",
    "return": "重新登记",
    "leave": "离职、调出",
    "retire": "退休",
    "region": "按块",
    "sector": "按条",
    "waiting": "等待",
    "approved": "同意",
    "refused": "退回",
    "withdrawn": "撤回",
    "in_progress": "正在作答",
    "submitted": "已交卷",
    "graded": "已评分",
    "focus_loss": "切屏",
    "screen_off": "熄屏",
    "offline": "断网",
    "resume": "恢复",
    "exemption": "免考",
    "deferral": "缓考",
    "absent": "缺考",
    "failed": "未成功或不合格",
    "not_started": "未开始",
    "sending": "正在发送",
    "sent": "已发送",
    "expired": "已过期",
    "sign_in_code": "验证码",
    "chase": "考试提醒",
    "code": "签到码",
    "hand": "工作人员登记",
    "after_deadline": "超过截止时间",
    "late": "超过截止时间",
    "stale_epoch": "旧页面提交",
    **{str(band): name for band, name in BAND_NAMES.items()},
    **{str(role): name for role, name in ROLE_NAMES.items()},
}


def value_words(column: str, value: object) -> str:
    """Say a stored value for people; the county's time, no word of the program."""
    if column == "act":
        return act_words(str(value))
    if isinstance(value, list):
        return "、".join(value_words("", part) for part in value)
    if isinstance(value, Mapping):
        return "；".join(f"{key} {value_words('', part)}" for key, part in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "是", False: "否", None: ""}[value]
    return as_words(value) if isinstance(value, datetime) else _VALUES.get(str(value), str(value))


def plain_value(value: object) -> Any:
    """Give a stored value as JSON can hold it: instants with their offset, marks as text, so that nothing is rounded."""
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | bool | list | dict):
        return value
    return (
        str(value) if isinstance(value, Decimal) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    )


def register_rows(terms: Terms) -> list[tuple[str, str, str, str, str, str]]:
    """Give the register as a table: group, title, what, why, how long, by whom."""
    return [
        (
            holding.group,
            holding.title,
            "、".join(holding.shown.values()),
            holding.purpose,
            terms.words(holding.term),
            holding.seen_by,
        )
        for holding in HOLDINGS
    ]


def register_markdown(terms: Terms) -> str:
    """Write the register as it stands in docs/personal-data.md."""
    head = ["| 类别 | 名称 | 内容 | 用途 | 保存期限 | 谁能看到 |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in register_rows(terms))])


LET_GO_WORDS = {
    "leavers": "离开人员的号码和账号（人）",
    "unnamed": "离开已久人员的姓名（人）",
    "exams": "匿名的考试（场）",
    "people_of_exams": "匿名考试的参加人（人）",
    "sign_ins": "登录记录（条）",
    "login_tokens": "登录条（张）",
    "outgoing_messages": "发出的短信（条）",
    "reset_requests": "找回密码的申请（条）",
}
"""What a run lets go, as its page says it."""
