"""Every permission of the house, `room:thing:act`, in one enum; which role holds which stands in organisation/people/rules.py."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What an account may be allowed to do within its reach."""

    UNITS_READ = "org:unit:read"
    UNITS_WRITE = "org:unit:write"
    PEOPLE_READ = "people:person:read"
    PEOPLE_WRITE = "people:person:write"
    NUMBERS_REVEAL = "people:number:reveal"
    """One person's whole ID number and mobile on the screen, with a reason."""
    ROSTER_IMPORT = "people:roster:import"
    CHANGES_PROPOSE = "people:change:propose"
    CHANGES_APPROVE = "people:change:approve"
    PASSWORDS_ISSUE = "people:password:issue"
    ROLES_GRANT = "people:role:grant"
    ROLES_APPROVE = "people:role:approve"
    ACCOUNTS_APPROVE = "people:account:approve"
    """The second person where the account of one of the three administrators is touched."""
    APPROVALS_READ = "people:approval:read"
    """The page of requests that need two persons: one's own, and those that one may decide."""
    LAWS_WRITE = "laws:law:write"
    QUESTIONS_READ = "questions:question:read"
    QUESTIONS_WRITE = "questions:question:write"
    QUESTIONS_REVIEW = "questions:question:review"
    QUESTIONS_IMPORT = "questions:bank:import"
    QUESTIONS_EXPORT = "questions:bank:export"
    KEYS_APPROVE = "questions:key:approve"
    """To be the second person for the key of a question that papers hold."""
    PAPERS_READ = "papers:blueprint:read"
    PAPERS_WRITE = "papers:blueprint:write"
    EXAMS_READ = "exams:exam:read"
    EXAMS_WRITE = "exams:exam:write"
    EXEMPTIONS_REQUEST = "exams:exemption:request"
    EXEMPTIONS_APPROVE = "exams:exemption:approve"
    RESULTS_IMPORT = "grading:result:import"
    ATTEMPTS_MANAGE = "attempts:attempt:manage"
    REOPENINGS_APPROVE = "attempts:reopening:approve"
    TRAINING_WRITE = "training:course:write"
    REPORTS_READ = "reports:participation:read"
    REPORTS_EXPORT = "reports:score:export"
    REPORTS_NUMBERS = "reports:number:export"
    """Whole ID numbers and mobiles in a file, with a reason and a second person's consent."""
    NUMBERS_APPROVE = "reports:number:approve"
    """To be that second person."""
    CALLS_EXPORT = "unitbook:call:export"
    """The list with mobiles by which a unit calls its people, with a reason and a second person's consent."""
    REPORTS_DESIGN = "reports:template:write"
    """The forms of reports, and what is made by itself."""
    EVENTS_WRITE = "records:event:write"
    CERTIFICATES_READ = "records:certificate:read"
    CERTIFICATES_WRITE = "records:certificate:write"
    DUTIES_WRITE = "duties:list:write"
    DUTIES_APPROVE = "duties:list:approve"
    NOTICES_WRITE = "messages:notice:write"
    FEEDBACK_ANSWER = "messages:feedback:answer"
    AUDIT_READ = "audit:event:read"
    RETENTION_RUN = "privacy:retention:run"
    SETTINGS_WRITE = "admin:setting:write"
    SECURITY_READ = "admin:security:read"
    """The security checklist of the running deployment."""


KEY_PERMISSIONS = frozenset(
    {
        Permission.QUESTIONS_READ,
        Permission.QUESTIONS_WRITE,
        Permission.QUESTIONS_REVIEW,
        Permission.QUESTIONS_IMPORT,
        Permission.QUESTIONS_EXPORT,
        Permission.KEYS_APPROVE,
    }
)
"""What lets see keys: every view that asks for one of these rests while its caller sits an exam that counts."""
