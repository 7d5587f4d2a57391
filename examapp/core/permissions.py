"""Every permission of the house, `room:thing:act`, in one enum; which role holds which stands in people/rules.py."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What an account may be allowed to do within its reach."""

    UNITS_READ = "org:unit:read"
    UNITS_WRITE = "org:unit:write"
    PEOPLE_READ = "people:person:read"
    PEOPLE_WRITE = "people:person:write"
    ROSTER_IMPORT = "people:roster:import"
    PASSWORDS_ISSUE = "people:password:issue"
    ROLES_GRANT = "people:role:grant"
    ROLES_APPROVE = "people:role:approve"
    LAWS_WRITE = "laws:law:write"
    QUESTIONS_READ = "questions:question:read"
    QUESTIONS_WRITE = "questions:question:write"
    QUESTIONS_REVIEW = "questions:question:review"
    QUESTIONS_IMPORT = "questions:bank:import"
    QUESTIONS_EXPORT = "questions:bank:export"
    PAPERS_READ = "papers:blueprint:read"
    PAPERS_WRITE = "papers:blueprint:write"
    EXAMS_READ = "exams:exam:read"
    EXAMS_WRITE = "exams:exam:write"
    EXEMPTIONS_REQUEST = "exams:exemption:request"
    EXEMPTIONS_APPROVE = "exams:exemption:approve"
    ATTEMPTS_MANAGE = "attempts:attempt:manage"
    TRAINING_WRITE = "training:course:write"
    REPORTS_READ = "reports:participation:read"
    REPORTS_EXPORT = "reports:score:export"
    REPORTS_NUMBERS = "reports:number:export"
    """Whole ID numbers and mobiles in a file, with a reason."""
    REPORTS_DESIGN = "reports:template:write"
    """The forms of reports, and what is made by itself."""
    DUTIES_WRITE = "duties:list:write"
    DUTIES_APPROVE = "duties:list:approve"
    NOTICES_WRITE = "messages:notice:write"
    FEEDBACK_ANSWER = "messages:feedback:answer"
    AUDIT_READ = "audit:event:read"
    SETTINGS_WRITE = "admin:setting:write"
