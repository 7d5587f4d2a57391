"""What the office does with exams: settings, publication, time, papers, exemptions."""

from examapp.exams.operations.after_keys import KEYS_OUT_WORDS, KeysOut
from examapp.exams.operations.exemptions import (
    Attachment,
    ExemptionRefusedError,
    approve_exemption,
    refuse_exemption,
    request_exemption,
    request_own_exemption,
    withdraw_exemption,
    withdraw_own_exemption,
)
from examapp.exams.operations.papers import prepare_paper, prepare_papers
from examapp.exams.operations.publishing import (
    bank_faults,
    cancel_exam,
    change_release,
    close_exam,
    extend,
    prolong_window,
    publish_exam,
    publish_faults,
    publish_warnings,
    register_exam,
    tell_who_sit,
    withdraw_exam,
)
from examapp.exams.operations.settings import (
    AudiencePart,
    ExamRefusedError,
    ExamSettings,
    create_exam,
    may_hold,
    update_exam,
)
from examapp.exams.queries.candidates import extensions_of, find_prepared_paper

__all__ = [
    "KEYS_OUT_WORDS",
    "Attachment",
    "AudiencePart",
    "ExamRefusedError",
    "ExamSettings",
    "ExemptionRefusedError",
    "KeysOut",
    "approve_exemption",
    "bank_faults",
    "cancel_exam",
    "change_release",
    "close_exam",
    "create_exam",
    "extend",
    "extensions_of",
    "find_prepared_paper",
    "may_hold",
    "prepare_paper",
    "prepare_papers",
    "prolong_window",
    "publish_exam",
    "publish_faults",
    "publish_warnings",
    "refuse_exemption",
    "register_exam",
    "request_exemption",
    "request_own_exemption",
    "tell_who_sit",
    "update_exam",
    "withdraw_exam",
    "withdraw_exemption",
    "withdraw_own_exemption",
]
