"""Names are the field's own: retired words are refused in identifiers, and no class name stands for two things."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from examapp.db.session import Base
from tests.architecture.source import ROOT, prose_of, tree_of

RETIRED = {
    "anew": "again",
    "asker": "requester",
    "canaries": "leak markers",
    "canary": "leak marker",
    "chase": "remind, overdue",
    "chased": "overdue",
    "chasing": "reminders",
    "doubt": "review note, needs review",
    "doubtful": "needs review",
    "doubts": "review notes",
    "freeze": "snapshot",
    "freezes": "snapshots",
    "freezing": "snapshot",
    "frozen": "snapshot",
    "heir": "successor",
    "heirs": "successors",
    "house": "application, code base",
    "houses": "application, code base",
    "lately": "recently, recent",
    "likeness": "similarity",
    "narrowed": "filtered",
    "narrowing": "filter",
    "narrowings": "filters",
    "nudge": "enqueue",
    "nudged": "enqueued",
    "nudges": "enqueued",
    "onlooker": "page checker",
    "refusal": "rejection",
    "refusals": "rejections",
    "refuse": "reject, or validate_… and ensure_… for what raises",
    "refused": "rejected; of an error: Invalid…Error",
    "refuses": "rejects",
    "refusing": "rejecting",
    "reseal": "reencrypt",
    "sabotage": "injected fault",
    "sabotages": "injected faults",
    "sealer": "cipher",
    "sitter": "candidate client",
    "sitters": "candidates",
    "sitting": "attempt",
    "sittings": "attempts",
    "stranger": "outsider",
    "strangers": "outsiders",
    "unitbook": "the feature's own name",
    "unseal": "decrypt",
    "unsealed": "decrypted",
    "unveil": "decrypt_query_param",
    "veil": "encrypt_query_param; overlay",
    "whoever": "anyone who",
    "wish": "request",
    "wished": "requested",
    "wishes": "requests",
}
"""Word by the standard term that says the same."""
RETIRED_IN_CODE = {
    "basis": "context",
    "door": "entry point",
    "doors": "entry points",
    "fate": "status, outcome",
    "fewest": "min",
    "ground": "roster key",
    "grounds": "roster keys",
    "hands": "duty scope",
    "lack": "missing",
    "lacking": "missing",
    "lacks": "missing",
    "least": "min, minimum",
    "losses": "dropped content",
    "me": "my_user",
    "most": "max, limit",
    "occasion": "schedule key",
    "occasions": "schedule keys",
    "pace": "rate",
    "reach": "access, scope",
    "sat": "submitted, attempted",
    "sit": "take_exam",
    "standing": "status, eligibility",
    "tell": "send, report",
    "telling": "message",
    "tells": "names",
    "told": "reply, message",
    "tries": "attempts, retries",
    "who": "user",
    "whom": "person",
    "words": "text, label",
}
"""Beside the others, but in the names of tests, which are sentences."""
RETIRED_IN_PROGRAM = {"fault": "issue", "faults": "issues"}
"""Beside the others, but in tests and benchmarks, where a fault is what is injected."""
PLAIN_IN_TEXT = {
    "doubt", "doubtful", "doubts", "freeze", "freezes", "freezing", "frozen", "refuse", "refused", "refuses", "sabotage", "sitting", "whoever", "wishes",
}  # fmt: skip
"""What is no good name and yet plain English in a docstring or a comment."""
RETIRED_PHRASES = {
    r"\b(a|the|my|within|out of) reach\b(?! of)": "access scope",
    r"\b(in|into|out of) (somebody|this one)'s hands\b": "duty scope",
    r"\b(attempts|grading|org|owning|people|questions'|training) room\b": "the feature's name",
}
RETIRED_ON_PAGES = {
    "「": "“”, as GB/T 15834 has them",
    "登录条": "一次性登录码",
    "下属单位": "下级单位",
    "不挂条线": "不属于垂直系统",
    "写于页面": "提交页面",
    "加一个选项": "添加选项",
    "办理离开": "办理离任",
    "单位代码": "单位编码",
    "失去联系": "疑似断线",
    "怎样得分": "计分方式",
    "我提出的": "我的申请",
    "按块": "按单位层级",
    "按条": "按主管系统",
    "按系统": "按主管系统",
    "按辖区": "按单位层级",
    "排队进场": "排队开考",
    "收回修改": "撤回修改",
    "有内容没有保留": "请留意（已自动处理）",
    "某日名册": "历史名册",
    "法律库": "法律法规",
    "法律目录": "法律法规",
    "登记一个人": "新增人员",
    "等我审批": "待我审批",
    "系统不猜": "请人工确认",
    "要看一看": "建议检查",
    "试组卷": "组卷检查",
    "责任处室": "责任科室",
    "逐日进度": "每日进度",
    "制卷": "生成试卷",
    "编制中": "草稿",
    "谁来考": "应考范围",
    "带走离线学": "离线学习",
    "不确定，回头再看": "存疑，稍后检查",
    "作答机会": "考试次数",
    "先不交卷": "取消交卷，继续答题",
    "制定中": "草稿",
    "只挂在条线上": "只用于垂直管理",
    "快忘的时候": "系统按记忆规律安排复习",
    "想练多少": "练习次数不限",
    "成绩学完": "已学完",
    "最终（含补考）": "含补考",
    "最近答对": "正确率",
    "查看并进入考试": "继续答题",
    "模拟一次": "模拟测试（不计成绩）",
    "没有往来": "无响应",
    "清除本题作答": "清空本题答案",
    "迟到的答案": "超时上传的答案",
    "页面打开得太久": "页面停留时间过长",
    "首次密码": "初始密码",
    "Not a valid choice": "请从给出的选项里选择。",
}
"""What a page or a message called a thing before, by what it is called on all of them."""
ALLOWED_ON_PAGES = {
    "examapp/documents/pdf_font.py": "marks that no line may end with",
    "examapp/organisation/roster_imports/rules.py": "heads that files of others have",
    "examapp/organisation/units/rules.py": "heads that files of others have",
    "examapp/oversight/duty_lists/rules.py": "heads that files of others have",
    "examapp/web/forms.py": "the library's own sentences, by which their Chinese is found",
}
ALLOWED = {
    "at_least": "a comparison",
    "at_most": "a comparison",
    "excused_sat": "a group of people in addresses and in the API",
}
CODE = [
    path for folder in ("examapp", "question_bank", "tests", "benchmarks") for path in ROOT.glob(f"{folder}/**/*.py")
]
TEMPLATES = sorted(ROOT.glob("examapp/templates/**/*.html"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ID = re.compile(r'\b(?:id|class|for)="([^"]*)"')
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_SCRIPTS = sorted(ROOT.glob("examapp/static/js/**/*.js"))
_SAID = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_MADE = re.compile(r"\b(?:var|function)\s+([\w$]+)|\bfunction\s*[\w$]*\s*\(([^)]*)\)|([\w$]+)\s*[:=](?!=)")
_WIRE = {"Struct", "TypedDict"}
_CLASS = re.compile(r"^ *class (\w+)\b", re.MULTILINE)


def retired(name: str, terms: dict[str, str]) -> list[str]:
    if name in ALLOWED:
        return []
    return [
        f"{name}: “{word}” is retired; say {terms[word]}"
        for word in map(str.lower, _WORD.findall(name))
        if word in terms
    ]


def identifiers(tree: ast.Module) -> set[str]:
    """Give the names that a module defines, but for those of fields on the wire."""
    found: set[str] = set()
    wire: set[int] = set()
    for node in ast.walk(tree):  # a class before its fields
        match node:
            case ast.ClassDef():
                found.add(node.name)
                if node.name.endswith("Body") or _WIRE & {getattr(base, "id", "") for base in node.bases}:
                    wire |= {id(field.target) for field in node.body if isinstance(field, ast.AnnAssign)}
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.arg():
                found.add(node.arg)
            case ast.Name(ctx=ast.Store()) if id(node) not in wire:
                found.add(node.id)
            case ast.Attribute(ctx=ast.Store()):
                found.add(node.attr)
            case ast.alias(asname=str()):
                found.add(str(node.asname))
            case _:
                pass
    return found


_IN_CODE = RETIRED | RETIRED_IN_CODE
_IN_PROGRAM = _IN_CODE | RETIRED_IN_PROGRAM


@cache
def complaints(name: str, *, is_program: bool) -> list[str]:
    if name.startswith("test_"):
        return retired(name, RETIRED)
    return retired(name, _IN_PROGRAM if is_program else _IN_CODE)


def test_no_identifier_has_a_retired_word():
    found = {
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in CODE
        for parts in [path.relative_to(ROOT).with_suffix("").parts]
        for name in identifiers(tree_of(path)) | set(parts)
        for complaint in complaints(name, is_program=parts[0] in {"examapp", "question_bank"})
    }
    assert not found, "\n".join(sorted(found))


def test_no_docstring_or_comment_has_a_retired_word():
    found = {
        f"{path.relative_to(ROOT)}:{line}: “{word}” is retired; say {term}"
        for path in CODE
        if path != Path(__file__)
        for line, text in prose_of(path)
        for word, term in retired_in_prose(text)
    }
    assert not found, "\n".join(sorted(found))


def retired_in_prose(text: str) -> list[tuple[str, str]]:
    plain = re.sub(r"`[^`]*`", " ", text).lower()
    terms = [(word, RETIRED[word]) for word in re.findall(r"[a-z]+", plain) if word in RETIRED.keys() - PLAIN_IN_TEXT]
    phrases = [(found[0], term) for phrase, term in RETIRED_PHRASES.items() if (found := re.search(phrase, plain))]
    return terms + phrases


def test_docstrings_and_comments_name_only_files_and_decisions_that_exist():
    files = {str(path.relative_to(ROOT)) for path in CODE}
    decisions = {path.name[:4] for path in ROOT.glob("docs/decisions/*.md")}
    found = set()
    for path in CODE:
        for line, text in prose_of(path):
            named = re.findall(r"(?<![\w/.])(?:\w+/)+\w+\.py\b", text)
            gone = [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)]
            gone += [
                f"decision {number}" for number in re.findall(r"decision (\d{4})", text) if number not in decisions
            ]
            found |= {f"{path.relative_to(ROOT)}:{line}: there is no {name}" for name in gone}
    assert not found, "\n".join(sorted(found))


def test_no_name_of_a_script_has_a_retired_word():
    found = {
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in _SCRIPTS
        for made in _MADE.findall(_SAID.sub("''", path.read_text("utf-8")))
        for name in re.findall(r"[\w$]+", " ".join(made))
        for complaint in retired(name, _IN_CODE)
    }
    assert not found, "\n".join(sorted(found))


def test_no_table_column_index_or_constraint_has_a_retired_word(app):
    names: set[str] = set()
    for table in Base.metadata.tables.values():
        parts = [*table.columns, *table.indexes, *table.constraints]
        names |= {table.name, *(str(part.name) for part in parts if part.name)}
    found = [complaint for name in names for complaint in retired(name, _IN_PROGRAM)]
    assert not found, "\n".join(sorted(found))


def test_no_id_or_class_of_a_page_has_a_retired_word():
    found = {
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in TEMPLATES
        for value in _ID.findall(_EXPRESSION.sub(" ", path.read_text("utf-8")))
        for name in value.split()
        for complaint in retired(name, _IN_CODE)
    }
    assert not found, "\n".join(sorted(found))


def test_no_page_or_message_has_a_retired_term():
    texts = [*TEMPLATES, *ROOT.glob("examapp/**/*.py"), *ROOT.glob("examapp/static/js/**/*.js")]
    found = [
        f"{path.relative_to(ROOT)}: “{term}” is retired; say “{RETIRED_ON_PAGES[term]}”"
        for path in texts
        if str(path.relative_to(ROOT)) not in ALLOWED_ON_PAGES
        for text in [path.read_text("utf-8")]
        for term in RETIRED_ON_PAGES
        if term in text
    ]
    assert not found, "\n".join(found)


def test_no_class_name_stands_twice():
    homes: dict[str, list[str]] = defaultdict(list)
    for path in CODE:
        for name in _CLASS.findall(path.read_text("utf-8")):
            if name != "Meta":  # WTForms asks for this name
                homes[name].append(str(path.relative_to(ROOT)))
    found = [
        f"{name}: {', '.join(places)}; name each after what it holds"
        for name, places in homes.items()
        if len(places) > 1
    ]
    assert not found, "\n".join(sorted(found))


def test_a_retired_word_is_found_wherever_a_name_is_made():
    tree = ast.parse("class FileRefusedError: ...\ndef f(wish, *, keep): told = 1\nx.sealer = 2\nimport a as anew")
    assert {name for name in identifiers(tree) if retired(name, _IN_CODE)} == {
        "FileRefusedError",
        "wish",
        "told",
        "sealer",
        "anew",
    }
    assert not retired("at_most", _IN_CODE)
    assert retired_in_prose("Nudge `asker` within reach.") == [("nudge", "enqueue"), ("within reach", "access scope")]
    assert retired("NewRefusals", _IN_CODE) == ["NewRefusals: “refusals” is retired; say rejections"]
