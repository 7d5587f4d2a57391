"""The words in which people read the log: what each act was, and what it was done to."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

FIRST_LINK = bytes(32)
"""What stands before the first link of the chain."""
LATEST_COMMIT = timedelta(minutes=15)
"""How long after its instant a line may still turn up: no transaction here lasts longer."""
LATE_IDS = 20_000
"""How far behind the newest id a late line may lie."""

ROOM_WORDS = {
    "messages": "通知与意见",
    "org": "单位",
    "people": "人员与登录",
    "laws": "法律法规",
    "questions": "题库",
    "papers": "组卷",
    "exams": "考试管理",
    "attempts": "作答",
    "grading": "评分",
    "training": "学习与课程",
    "reports": "报表与导出",
    "unitbook": "单位台账",
    "duties": "普法责任制",
    "admin": "系统",
    "audit": "审计",
    "demo": "演示数据",
}

ACT_WORDS = {
    "admin.add_administrator": "新增管理账号",
    "admin.request_rehearsal": "开始演练",
    "admin.set_up": "首次设置",
    "attempts.apply_extension": "延长作答时间生效",
    "audit.export_events": "导出审计记录",
    "demo.load_county": "装入演示数据",
    "duties.change_item": "修改责任清单事项",
    "duties.correct_deed": "修改履职记录",
    "duties.create_item": "添加责任清单事项",
    "duties.import_list": "导入责任清单",
    "duties.open_list": "新建责任清单",
    "duties.propose_list": "报送责任清单",
    "duties.publish_list": "审核公布责任清单",
    "duties.record_deed": "登记履职记录",
    "duties.remove_item": "删除责任清单事项",
    "duties.send_back_list": "退回责任清单",
    "duties.set_period": "设置普法规划周期",
    "duties.take_back_list": "收回责任清单",
    "duties.withdraw_deed": "撤销履职记录",
    "exams.approve_exemption": "批准免考或缓考",
    "exams.cancel_exam": "取消考试",
    "exams.change_release": "修改成绩公布方式",
    "exams.close_exam": "提前结束考试",
    "exams.create_exam": "新建考试",
    "exams.extend": "延长作答时间",
    "exams.prolong_window": "延长考试窗口",
    "exams.publish_exam": "发布考试",
    "exams.refuse_exemption": "不同意免考或缓考",
    "exams.request_exemption": "申请免考或缓考",
    "exams.update_exam": "修改考试",
    "exams.withdraw_exam": "撤回考试",
    "exams.withdraw_exemption": "撤回免考或缓考申请",
    "grading.accept_late_answers": "采纳迟到的答案",
    "grading.grade_again": "重新评分",
    "grading.reject_late_answers": "不采纳迟到的答案",
    "grading.reopen_attempt": "重新打开作答",
    "grading.set_aside": "评分多次失败，转人工处理",
    "laws.import_law_text": "导入法律文本",
    "laws.set_dates": "修改法律施行日期",
    "messages.answer_feedback": "答复意见建议",
    "messages.change_notice": "修改通知",
    "messages.publish_notice": "发布通知",
    "messages.withdraw_notice": "撤回通知",
    "messages.write_feedback": "提交意见建议",
    "messages.write_notice": "起草通知",
    "org.close_unit": "停用单位",
    "org.create_unit": "新建单位",
    "org.edit_unit": "修改单位",
    "org.reopen_unit": "恢复单位",
    "papers.archive_blueprint": "停用组卷规则",
    "papers.create_blueprint": "新建组卷规则",
    "papers.update_blueprint": "修改组卷规则",
    "people.approve": "同意申请",
    "people.ask_approval": "提交审批申请",
    "people.change_password": "修改密码",
    "people.confirm_import": "确认导入名册",
    "people.create_person": "新增人员",
    "people.delay_sign_in": "密码多次错误，限制登录",
    "people.disable_account": "停用账号",
    "people.edit_person": "修改人员信息",
    "people.enable_account": "恢复账号",
    "people.end_other_sign_ins": "退出其他登录",
    "people.end_sign_in": "退出一处登录",
    "people.export_first_passwords": "导出初始密码",
    "people.fail_second_factor": "动态口令错误",
    "people.grant_role": "授予角色",
    "people.import_roster": "名册导入完成",
    "people.issue_ticket": "发放登录条",
    "people.let_person_leave": "办理离开名册",
    "people.pass_second_factor": "动态口令通过",
    "people.refuse_approval": "退回申请",
    "people.remove_second_factor": "停用动态口令",
    "people.reset_password": "重置密码",
    "people.revoke_role": "收回角色",
    "people.send_reset_code": "发送重设密码验证码",
    "people.set_second_factor": "启用动态口令",
    "people.sign_in": "登录",
    "people.sign_out": "退出登录",
    "people.take_person_back": "恢复在册",
    "people.transfer_person": "办理调动",
    "people.upload_roster": "上传人员名册",
    "people.withdraw_approval": "撤回申请",
    "questions.add_question": "新增试题",
    "questions.add_questions": "批量新增试题",
    "questions.confirm_import": "确认导入试题",
    "questions.correct_key": "更正答案",
    "questions.delete_question": "删除试题",
    "questions.discard_import": "放弃试题导入",
    "questions.export": "导出题库",
    "questions.save_question": "修改试题",
    "questions.apply_bulk": "成批修改试题",
    "questions.check_law": "核对法律修改涉及的试题",
    "questions.keep_both": "确认两题不重复",
    "questions.keep_under_new_law": "确认试题适用新法",
    "questions.read_import": "读取试题文件",
    "questions.search_duplicates": "查找重复试题",
    "questions.set_state": "审核或停用试题",
    "questions.take_over": "导入试题入库",
    "questions.undo_import": "撤销试题导入",
    "questions.upload_import": "上传试题文件",
    "questions.upload_picture": "上传试题图片",
    "reports.download_export": "下载导出文件",
    "reports.request_export": "申请导出报表",
    "training.ask_for_courses": "设置考前要学的课程",
    "training.attach_file": "上传课程附件",
    "training.confirm_articles": "确认章节适用现行法条",
    "training.create_course": "新建课程",
    "training.delete_chapter": "删除章节",
    "training.detach_file": "删除课程附件",
    "training.mark_practice": "设置练习范围",
    "training.name_people": "指定课程人员",
    "training.publish_course": "发布课程",
    "training.save_chapter": "保存章节",
    "training.update_course": "修改课程",
    "training.withdraw_course": "下架课程",
    "unitbook.export_calls": "导出催考电话名单",
    "unitbook.remind": "提醒参加考试",
}
"""Acts by the name that the operation records; a test holds that none is missing."""

OBJECT_WORDS = {
    "account": "账号",
    "approval": "审批",
    "attempt": "作答",
    "audit_event": "审计记录",
    "blueprint": "组卷规则",
    "course": "课程",
    "duty_item": "责任清单事项",
    "duty_list": "责任清单",
    "duty_record": "履职记录",
    "plan_period": "规划周期",
    "exam": "考试",
    "exemption": "免考或缓考",
    "export": "导出文件",
    "feedback": "意见",
    "law": "法律",
    "law_version": "法律版本",
    "media": "图片",
    "session": "场次",
    "notice": "通知",
    "paper": "试卷",
    "person": "人员",
    "question": "试题",
    "question_import": "试题导入",
    "duplicate_search": "重复试题查找",
    "rehearsal": "演练",
    "role_grant": "角色授权",
    "roster_import": "名册导入",
    "sign_in": "登录",
    "ticket": "登录条",
    "unit": "单位",
}

_DETAIL_WORDS = {
    "act": "事项",
    "added": "新增",
    "answered": "已答题数",
    "by": "方式",
    "changed": "变动",
    "closes_at": "原截止时间",
    "content": "内容",
    "count": "数量",
    "exam_id": "考试",
    "deputy_of_id": "代理的授权",
    "ends_at": "到期",
    "existing": "已有",
    "extension_id": "延长记录",
    "failures": "错误次数",
    "format": "格式",
    "from": "原",
    "from_unit_id": "原单位",
    "in_doubt": "待核对",
    "is_for_admins": "仅管理员可见",
    "is_open": "可练习",
    "is_own_review": "审核本人的题",
    "law": "法律",
    "keys": "答案公布",
    "items": "题号",
    "group": "人员范围",
    "kind": "类型",
    "new": "新增",
    "number": "编号",
    "on": "生效日期",
    "questions": "题数",
    "reason": "理由",
    "refused": "未通过",
    "reopened": "重新打开的答卷",
    "results": "成绩公布",
    "role": "角色",
    "rows": "行数",
    "scope": "口径",
    "seconds": "秒数",
    "sha256": "原回执校验值",
    "state": "状态",
    "ticket_id": "登录条",
    "title": "名称",
    "to": "改为",
    "to_unit_id": "现单位",
    "tree": "隶属关系",
    "unchanged": "没有变化",
    "unit_id": "单位",
    "wait_s": "等待秒数",
    "year": "年度",
}
_VALUE_WORDS = {
    "absent": "未考名单",
    "active": "启用",
    "at_close": "考试结束时",
    "at_once": "交卷后即时",
    "at_time": "指定时间",
    "audit_admin": "审计管理员",
    "draft": "草稿",
    "final": "最终",
    "leader": "领导",
    "leave": "离开",
    "in_progress": "已开始未交卷",
    "failed": "不合格",
    "never": "不公布",
    "not_started": "未开始",
    "participation": "参考情况",
    "people.grant_role": "授予角色",
    "publicity_office": "普法办",
    "region": "块",
    "retire": "退休",
    "retired": "停用",
    "reviewed": "已审核",
    "score_sheet": "成绩汇总表",
    "scores": "成绩",
    "sector": "条",
    "security_admin": "安全管理员",
    "system_admin": "系统管理员",
    "this": "本场",
    "unit_admin": "单位管理员",
}


def link_text(number: int, previous: bytes, facts: list[Any]) -> str:
    """Write what a link's digest is taken of: its place, the digest before, and all of its line, always in the same letters."""
    return json.dumps([number, previous.hex(), *facts], ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def act_words(act: str) -> str:
    """Say an act in Chinese; an act without words is named by its room, so that no reader meets a program's name alone."""
    room = act.partition(".")[0]
    return ACT_WORDS.get(act) or f"{ROOM_WORDS.get(room, '系统')}：其他操作"


def object_words(object_type: str, object_id: int | None) -> str:
    """Say what an act was done to: `考试 12`."""
    word = OBJECT_WORDS.get(object_type, "其他")
    return word if object_id is None else f"{word} {object_id}"


def detail_words(details: dict[str, Any]) -> str:
    """Say an act's particulars in one line: `数量 12；格式 xlsx`."""
    return "；".join(f"{_DETAIL_WORDS.get(name, name)} {_value(value)}" for name, value in details.items())


def _value(value: object) -> str:
    if value is None:
        return "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_value(part) for part in value) or "无"
    if isinstance(value, dict):
        return "，".join(f"{_DETAIL_WORDS.get(str(name), str(name))} {_value(part)}" for name, part in value.items())
    words = str(value)
    return _VALUE_WORDS.get(words) or _DETAIL_WORDS.get(words, words)
