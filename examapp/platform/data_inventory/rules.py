"""How the register of personal data is written: one holding a table, with every column named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RetentionPolicy(StrEnum):
    """How long something is kept: each has one meaning, said in words and carried out by one job or by the room itself."""

    LEAVER = "leaver"
    RESULTS = "results"
    STUDY = "study"
    SIGN_INS = "sign_ins"
    AUDIT = "audit"
    FILES = "files"
    DAYS = "days"
    WITH_PERSON = "with_person"
    OFFICE = "office"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCategory:
    """A table that holds personal data: what for, until when, who sees it, whose a row is, and every column's part in it."""

    table: str
    title: str
    group: str
    purpose: str
    term: RetentionPolicy
    seen_by: str
    owner: str | None
    """The column that leads to the person: a person's, account's or attempt's id. None: rows that belong to nobody alone, listed only."""
    shown: Mapping[str, str]
    """What the owner reads, with its words."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    """What the owner does not read, with the reason."""
    order: str = ""
    """The column by which rows are read, newest first."""
    needs_release: bool = False
    """Rows of an exam whose results are not out yet are held back."""


def words(text: str) -> dict[str, str]:
    """Read `column=词 column=词` into a mapping; spaces part the pairs."""
    return dict(pair.split("=", 1) for pair in text.split())


_REASONS = {
    "technical": "内部编号和程序状态",
    "unreadable": "密码、密钥或验证码的加密值，任何人都看不到原文",
    "others": "经办人是另一个人",
    "sealed": "加密保存，在“登记资料”中以可读形式列出",
    "with_keys": "逐题得分随答案公布，见“成绩”页面",
    "before_start": "试卷开考前不公开",
    "in_mistakes": "对错见“错题”页面",
    "may_hold_code": "正文可能含验证码",
}


def hide(**columns: str) -> dict[str, str]:
    """Read `reason="column column"` into a mapping of columns to the words of their reason."""
    return {column: _REASONS[reason] for reason, names in columns.items() for column in names.split()}


_ROSTER, _ACCOUNT, _TALK, _STAFF = "登记资料", "账号与登录", "通知与意见", "管理工作"
_ADMINS = "本人、本单位管理员、普法办、系统管理员"

HOLDINGS = (
    DataCategory(
        table="persons", title="登记资料", group=_ROSTER, owner="id", term=RetentionPolicy.LEAVER, seen_by=_ADMINS,
        purpose="确定谁应当参加学法考试，按单位、职级安排试卷并统计；身份证号和手机号用于核对身份、登录和通知",
        shown=words("staff_number=工号 name=姓名 unit_id=单位 state=状态 rank=职级 position=职务 created_at=登记时间 updated_at=更新时间"),
        hidden=hide(technical="id", sealed="id_number_sealed mobile_sealed", unreadable="id_number_index mobile_index"),
    ),
    DataCategory(
        table="planned_moves", title="待生效的名册变动", group=_ROSTER, owner="person_id", term=RetentionPolicy.LEAVER, seen_by=_ADMINS, order="effective_on",
        purpose="到日子自动办理调动、借调、退休、离开",
        shown=words(
            "kind=事项 to_unit_id=到 effective_on=生效日期 until_on=借调到 note=备注 recorded_at=登记时间 ended_at=办结时间 outcome=结果"
        ),
        hidden=hide(technical="id person_id", others="recorded_by_id"),
    ),
    DataCategory(
        table="roster_moves", title="名册变动", group=_ROSTER, owner="person_id", term=RetentionPolicy.LEAVER, seen_by=_ADMINS, order="effective_on",
        purpose="调动、离开后仍按当时的单位统计成绩",
        shown=words("kind=事项 from_unit_id=原单位 to_unit_id=现单位 effective_on=生效日期 recorded_at=登记时间 note=备注"),
        hidden=hide(technical="id person_id", others="recorded_by_id"),
    ),
    DataCategory(
        table="roster_change_items", title="名册变动的申报", group=_ROSTER, owner="person_id", term=RetentionPolicy.LEAVER, seen_by=_ADMINS, order="effective_on",
        purpose="单位申报调入、调出、退休，由普法办核对后改名册",
        shown=words(
            "kind=事项 staff_number=工号 name=姓名 rank=职级 position=职务 to_unit_id=现单位 effective_on=生效日期 note=说明 state=结果"
            " answer=答复 decided_at=答复时间 applied_at=办理时间"
        ),
        hidden=hide(technical="id list_id person_id", others="decided_by_id"),
    ),
    DataCategory(
        table="accounts", title="账号", group=_ACCOUNT, owner="person_id", term=RetentionPolicy.LEAVER, seen_by=_ADMINS,
        purpose="登录和防止他人冒用",
        shown=words(
            "login_name=登录名 must_change_password=须修改初始密码 password_changed_at=上次改密码 disabled_at=停用时间"
            " failures=近期输错次数 locked_until=暂停登录至 has_second_factor=已启用动态口令 has_elder_mode=使用适老版"
        ),
        hidden=hide(technical="id person_id first_failure_at is_demo", unreadable="password_hash first_password_sealed"),
    ),
    DataCategory(
        table="sign_ins", title="登录记录", group=_ACCOUNT, owner="account_id", term=RetentionPolicy.SIGN_INS, seen_by="本人、审计管理员", order="started_at",
        purpose="本人可查看并退出各处登录，发生冒用时可追查",
        shown=words("started_at=登录时间 ended_at=退出时间 seen_at=最近操作 address=来源地址 device=设备"),
        hidden=hide(technical="id account_id ticket_id awaits_code", unreadable="token_digest"),
    ),
    DataCategory(
        table="login_tokens", title="登录条", group=_ACCOUNT, owner="account_id", term=RetentionPolicy.SIGN_INS, seen_by="审计管理员", order="made_at",
        purpose="忘记密码时凭条登录一次",
        shown=words("made_at=发放时间 expires_at=有效期至 used_at=使用时间 is_reset_code=短信验证码"),
        hidden=hide(technical="id account_id", unreadable="code_index", others="made_by_id"),
    ),
    DataCategory(
        table="second_factors", title="动态口令", group=_ACCOUNT, owner="account_id", term=RetentionPolicy.WITH_PERSON, seen_by="本人",
        purpose="管理账号登录时的第二道核对",
        shown=words("made_at=设置时间 confirmed_at=启用时间 failures=近期输错次数 locked_until=暂停至"),
        hidden=hide(technical="account_id last_step first_failure_at", unreadable="secret_sealed"),
    ),
    DataCategory(
        table="recovery_codes", title="动态口令备用码", group=_ACCOUNT, owner="account_id", term=RetentionPolicy.WITH_PERSON, seen_by="无人",
        purpose="手机丢失时使用", shown=words("used_at=使用时间"), hidden=hide(technical="id account_id", unreadable="code_index"),
    ),
    DataCategory(
        table="former_passwords", title="用过的密码", group=_ACCOUNT, owner="account_id", term=RetentionPolicy.WITH_PERSON, seen_by="无人", order="set_at",
        purpose="按等保要求不得重复使用前 5 次的密码", shown=words("set_at=设置时间"),
        hidden=hide(technical="id account_id", unreadable="password_hash"),
    ),
    DataCategory(
        table="reset_requests", title="找回密码的申请", group=_ACCOUNT, owner="account_id", term=RetentionPolicy.DAYS, seen_by="无人", order="asked_at",
        purpose="发送验证码、防止滥用", shown=words("asked_at=申请时间 address=来源地址 handled_at=处理时间"), hidden=hide(technical="id account_id"),
    ),
    DataCategory(
        table="role_grants", title="管理角色", group=_STAFF, owner="person_id", term=RetentionPolicy.LEAVER, seen_by="安全管理员、审计管理员", order="granted_at",
        purpose="确定可以办理哪些业务、管到哪些单位",
        shown=words("role=角色 unit_id=管理范围 tree=按块或按条 granted_at=授予时间 ends_at=到期"),
        hidden=hide(technical="id person_id deputy_of_id", others="granted_by_id"),
    ),
    DataCategory(
        table="approvals", title="关于本人的审批", group=_STAFF, owner="person_id", term=RetentionPolicy.AUDIT, seen_by="申请人、审批人、审计管理员", order="requested_at",
        purpose="重要事项须两人办理，留作证明",
        shown=words("act=事项 reason=理由 state=结果 requested_at=申请时间 decided_at=审批时间"),
        hidden=hide(technical="id request_key details person_id unit_id expires_at", others="requested_by_id decided_by_id"),
    ),
    DataCategory(
        table="audit_events", title="操作记录", group=_STAFF, owner="actor_id", term=RetentionPolicy.AUDIT, seen_by="审计管理员", order="at",
        purpose="网络安全法要求留存的日志，发生争议和冒用时查证",
        shown=words("at=时间 act=操作 address=来源地址"),
        hidden=hide(technical="id actor_id object_type object_id details", others="person_id"),
    ),
    DataCategory(
        table="notice_readings", title="通知阅读", group=_TALK, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人、普法办（只看人数）", order="read_at",
        purpose="提示未读通知", shown=words("notice_id=通知 read_at=阅读时间"), hidden=hide(technical="person_id"),
    ),
    DataCategory(
        table="feedbacks", title="意见建议", group=_TALK, owner="person_id", term=RetentionPolicy.STUDY, seen_by="本人、普法办", order="created_at",
        purpose="答复您提的意见",
        shown=words("created_at=时间 page=所在页面 text=内容 answer=答复 answered_at=答复时间 answer_seen_at=阅读时间"),
        hidden=hide(technical="id person_id", others="answered_by_id"),
    ),
    DataCategory(
        table="outgoing_messages", title="发给您的短信", group=_TALK, owner="person_id", term=RetentionPolicy.DAYS, seen_by="普法办（只看发送情况）", order="created_at",
        purpose="考试提醒、登录验证码，避免重复发送",
        shown=words("kind=类别 state=状态 created_at=生成时间 sent_at=发送时间"),
        hidden=hide(
            technical="id person_id once_key is_urgent delivery_count reason sent_on try_at expires_at", may_hold_code="text"
        ),
    ),
    DataCategory(
        table="address_failures", title="登录失败的来源地址", group=_ACCOUNT, owner=None, term=RetentionPolicy.DAYS, seen_by="无人",
        purpose="阻止成批猜密码", shown=words("address=来源地址 failed_at=时间"), hidden=hide(unreadable="name_key"),
    ),
    DataCategory(
        table="unknown_login_names", title="不存在的登录名的失败次数", group=_ACCOUNT, owner=None, term=RetentionPolicy.DAYS, seen_by="无人",
        purpose="不让人试出哪些登录名存在", shown=words("failures=次数 first_failure_at=第一次 locked_until=暂停至"), hidden=hide(unreadable="name_digest"),
    ),
    DataCategory(
        table="used_captchas", title="用过的验证码图片", group=_ACCOUNT, owner=None, term=RetentionPolicy.DAYS, seen_by="无人",
        purpose="一张图片只能用一次", shown=words("used_at=时间 address=来源地址 is_waited=以等待代替"), hidden=hide(unreadable="nonce"),
    ),
    DataCategory(
        table="roster_imports", title="导入的名册文件", group=_ROSTER, owner=None, term=RetentionPolicy.FILES, seen_by="导入的管理员",
        purpose="检查、写入名册，下载检查结果；文件加密保存",
        shown=words("unit_id=单位"),
        hidden=hide(sealed="content annotated", technical="id is_confirmed is_whole summary"),
    ),
    DataCategory(
        table="exports", title="导出的报表文件", group=_STAFF, owner=None, term=RetentionPolicy.FILES, seen_by="申请导出的人",
        purpose="上报成绩汇总表、存档；到期自动删除",
        shown=words("exam_id=考试 unit_id=单位 content=内容 narrowing=人员范围 numbers=号码 reason=用途 expires_at=删除时间"),
        hidden=hide(technical="id tree format scope data_version watermark template_id approval_id occasion file sha256 as_of"),
    ),
    DataCategory(
        table="certificate_jobs", title="成批的证书文件", group=_STAFF, owner=None, term=RetentionPolicy.FILES, seen_by="办理证书的人",
        purpose="打印证书；到期自动删除",
        shown=words("plan_id=证书 unit_id=单位 expires_at=删除时间"),
        hidden=hide(technical="id purpose site_url file"),
    ),
    DataCategory(
        table="jobs", title="后台任务", group=_STAFF, owner=None, term=RetentionPolicy.OFFICE, seen_by="申请人和系统管理员",
        purpose="导入、导出、发证、重新评分等的进度和结果", shown=words("kind=任务 file_name=文件名 created_by_id=经办人 created_at=申请时间 message=结果"),
        hidden=hide(technical="id key state run_count lease_expires_at run_after done total error_code started_at finished_at"),
    ),
    DataCategory(
        table="stored_files", title="上传的文件", group=_STAFF, owner=None, term=RetentionPolicy.OFFICE, seen_by="有权查看所属事项的人",
        purpose="课程、活动、履职记录、免考申请的附件", shown=words("name=文件名 stored_by_id=上传人 stored_at=上传时间"),
        hidden=hide(technical="id token room kind media_type size sha256"),
    ),
    DataCategory(
        table="pending_uploads", title="正在上传的文件", group=_STAFF, owner=None, term=RetentionPolicy.DAYS, seen_by="上传人",
        purpose="断点续传", shown=words("name=文件名 sent_by_id=上传人 touched_at=最近上传"),
        hidden=hide(technical="id token room kind size received"),
    ),
)  # fmt: skip
