"""One scene with a thing of every kind: one's own, of the same unit, of another unit; made once a test process."""

from __future__ import annotations

import secrets
from datetime import timedelta

from examapp import clock
from examapp.content.external_reviews.models import ReviewTicket
from examapp.content.laws.models import Law, LawImport, LawVersion
from examapp.content.question_assignments.models import AssignmentFile, QuestionAssignment
from examapp.content.questions.models import DuplicateSearch, Media, QuestionImport
from examapp.delivery.attempts.models import QuarantinedSave
from examapp.delivery.corrections.rules import summarise
from examapp.delivery.evidence.models import EvidencePack
from examapp.delivery.exams.models import ExamAudience, Exemption, ExemptionReason
from examapp.delivery.external_results.models import ResultImport, ResultImportRow
from examapp.delivery.grading.models import Correction
from examapp.learning.courses.models import ExerciseRun, PracticeItem
from examapp.learning.spaced_repetition.models import ReviewCard
from examapp.organisation.people.models import Account, Approval, PlannedMove, RoleGrant, RosterImport, SignIn
from examapp.organisation.roster_change_requests.models import RosterChangeItem, RosterChangeRequest
from examapp.oversight.duty_lists.models import DutyRecord
from examapp.oversight.report_exports.models import Export
from examapp.platform.bank_updates.models import BankUpdate
from examapp.platform.notices.models import Feedback, Notice
from examapp.platform.setup.models import Rehearsal
from examapp.uploads.actions import kept_path
from examapp.uploads.models import StoredFile
from tests.attempts.candidate_clients import KINDS as ITEMS
from tests.attempts.candidate_clients import CandidateClient, make_bank
from tests.duties.making import Duties
from tests.helpers.courses import course as make_course
from tests.helpers.forms import token_of
from tests.matrix.yearly import add_report_forms, add_study_things, add_yearly_things

MISSING = 987_654_321
ROLE_OF = {
    "U": ("unit_admin", "region"),
    "T": ("unit_admin", "sector"),
    "L": ("leader", "region"),
    "Q": ("publicity_office", "region"),
    "P": ("publicity_office", ""),
    "S": ("system_admin", ""),
    "Y": ("security_admin", ""),
    "A": ("audit_admin", ""),
}


class Scenario:
    """People in every role, and `things[kind][relation]`; `own[kind][role]` where a role has a thing of its own."""

    def __init__(self, world) -> None:
        self.world = world
        self.things: dict[str, dict[str, object]] = {}
        self.own: dict[str, dict[str, object]] = {}
        self.county = world.unit("某县", kind="county", code="M0")
        self.sector = world.unit("某系统", kind="sector", code="MX")
        self.duties = Duties(world)
        self.here = world.unit("甲局", parent=self.county, sector_parent=self.sector, code="MA")
        self.there = world.unit("乙局", parent=self.county, code="MB")
        self.people = {role: self._person(role) for role in "CULTPQSYA"}
        self.peer = world.person(self.here, name="同事")
        self.outsider = world.person(self.there, name="外人")
        self.peer_number = self.peer.staff_number
        self.clients = {role: world.api(person) for role, person in self.people.items()}
        self.clients["-"] = world.client()
        self.clients["-"].environ_base["HTTP_X_CSRFTOKEN"] = token_of(self.clients["-"].get("/login"))
        self._make_people_things()
        self._make_exam_things()
        self._make_bank_things()
        self._make_duty_things()
        self._make_message_things()
        self._make_courses()
        self._make_jobs()
        add_yearly_things(self)
        add_study_things(self)
        add_report_forms(self)
        self._make_change_lists()
        self._make_result_imports()

    def _person(self, role):
        if role == "C":
            return self.world.person(self.here)
        name, tree = ROLE_OF[role]
        person = self.world.person(self.here if tree else self.county, state="off_roster")
        unit = {"region": self.here, "sector": self.sector}.get(tree)
        self.world.save(
            RoleGrant(
                person_id=person.id,
                role=name,
                unit_id=unit.id if unit else None,
                tree=tree or "region",
                granted_at=clock.now(),
            )
        )
        return person

    def put(self, kind, same, other=None, *, missing=MISSING, own=None):
        self.things[kind] = {"same": same, "missing": missing} | ({} if other is None else {"other": other})
        self.own[kind] = own or {}

    def _make_people_things(self):
        self.put("person", self.peer.id, self.outsider.id)
        holders = [self.world.person(unit) for unit in (self.here, self.there)]
        for holder in holders:
            account = self.world.session.query(Account).filter_by(person_id=holder.id).one()
            account.has_second_factor = True
        self.put("second_factor_holder", *[holder.id for holder in holders])
        self.here_id = self.here.id
        self.put("unit", self.here_id, self.there.id)
        self.put("unit_code", "MA", missing="none")
        self.put("operator", "aliyun", missing="none")
        self.put("callback_token", "no-token-is-set-in-the-scene")
        self.put("own_holding", "sign_ins", missing="none")
        grants = [
            self.world.save(
                RoleGrant(person_id=person.id, role="leader", unit_id=unit.id, tree="region", granted_at=clock.now())
            )
            for person, unit in ((self.peer, self.here), (self.outsider, self.there))
        ]
        self.put("grant", grants[0].id, grants[1].id)
        planned = [
            self.world.save(
                PlannedMove(
                    person_id=person.id,
                    kind="retire",
                    effective_on=clock.today() + timedelta(days=30),
                    recorded_at=clock.now(),
                )
            )
            for person in (self.peer, self.outsider)
        ]
        self.put("planned_move", planned[0].id, planned[1].id)
        asked = [self._request(self.peer, self.here), self._request(self.outsider, self.there)]
        own = {role: self._request(self.people[role], self.here) for role in "UTPQSY"}
        self.put("request_to_decide", *asked)
        self.put("request_to_see", *asked, own=own)
        self.put("own_request", *asked, own=own)
        now = clock.now()
        accounts = {role: client.get("/sign-ins") and self._second_sign_in(role) for role, client in self._signed_in()}
        others = [self._sign_in_of(person, now) for person in (self.peer, self.outsider)]
        self.put("sign_in", *others, own=accounts)

    def _signed_in(self):
        return [(role, client) for role, client in self.clients.items() if role != "-"]

    def _second_sign_in(self, role):
        return self._sign_in_of(self.people[role], clock.now())

    def _sign_in_of(self, person, now):
        account = self.world.session.query(Account).filter_by(person_id=person.id).one()
        row = SignIn(account_id=account.id, token_digest=f"{person.id}-second".encode(), started_at=now)
        return self.world.save(row).id

    def _request(self, requester, unit, act="reminders.export_call_list"):
        """A request for whole numbers of a unit, which the office and the security administrator may decide."""
        details = {"exam_title": "考试", "unit_id": unit.id, "group": "failed", "code": "t-1", "version": 1}
        row = Approval(
            act=act,
            request_key=f"{requester.id}",
            unit_id=unit.id,
            details=details,
            reason="",
            requested_by_id=requester.id,
            requested_at=clock.now(),
            expires_at=clock.now() + timedelta(days=3),
        )
        return self.world.save(row).id

    def _make_exam_things(self):
        make_bank(self.world)
        blueprint = self.blueprint = self.world.blueprint(ITEMS)
        self.exam = self.world.exam(blueprint)
        live, handed = {}, {}
        for name, person in (("own", self.people["C"]), ("same", self.peer), ("other", self.outsider)):
            candidate_client = CandidateClient(self.world, self.exam, person)
            candidate_client.start()
            handed[name] = candidate_client.attempt["id"]
            assert candidate_client.hand_in().status_code == 201
            second = CandidateClient(self.world, self._second_exam(), person)
            second.start()
            live[name] = second.attempt["id"]
        self.put("exam", self.exam.id)
        self.put("attempt", live["same"], live["other"], own={"C": live["own"]})
        self.put("sheet", handed["same"], handed["other"], own={"C": handed["own"]})
        self.put("sheet_within", handed["same"], handed["other"])
        late = [
            self.world.save(
                QuarantinedSave(
                    attempt_id=handed[name],
                    reason="deadline_passed",
                    epoch=1,
                    changes=[],
                    digest=name.encode(),
                    received_at=clock.now(),
                )
            ).id
            for name in ("same", "other")
        ]
        self.put("late_save", *late)
        exams = [self._exam_for(unit) for unit in (self.here, self.there)]
        self.put("exam_within", *exams)
        self.put("exam_to_sit", *exams)
        self.put("exam_to_see", *exams)
        self._make_exemptions()

    def file(self, room):
        """A stored file of an owner, with its content on the disk."""
        file = StoredFile(
            token=secrets.token_hex(16),
            room=room,
            name="证明.pdf",
            kind="pdf",
            media_type="application/pdf",
            size=3,
            sha256="ab" * 32,
            stored_at=clock.now(),
        )
        kept_path(file.token).write_bytes(b"pdf")
        return self.world.save(file)

    def _make_exemptions(self):
        file_id = self.file("exams").id
        of = {
            name: self.world.save(
                Exemption(
                    exam_id=self.exam.id,
                    person_id=person.id,
                    reason="出差",
                    requested_at=clock.now(),
                    file_id=file_id,
                )
            ).id
            for name, person in (("same", self.peer), ("other", self.outsider), ("own", self.people["C"]))
        }
        self.put("exemption", of["same"], of["other"])
        self.put("own_exemption", of["same"], of["other"], own={"C": of["own"]})
        self.put("exemption_reason", self.world.session.query(ExemptionReason).first().id)

    def _second_exam(self):
        if not hasattr(self, "_second"):
            self._second = self.world.exam(self.blueprint, title="第二场", keys_policy="at_once")
        return self._second

    def _exam_for(self, unit):
        exam = self.world.exam(self.blueprint, title=f"{unit.name}的考试")
        self.world.save(ExamAudience(exam_id=exam.id, unit_id=unit.id, ranks=[]))
        return exam.id

    def _make_bank_things(self):
        self.put("blueprint", self.blueprint.id)
        self.put("question", self.world.question().id)
        self.other_question = self.world.question().id
        self.put("question_kind", "single_choice", missing="none")
        law = self.world.save(Law(name="某法", created_at=clock.now()))
        versions = [
            self.world.save(LawVersion(law_id=law.id, version_on=day, created_at=clock.now())).id
            for day in (clock.today() - timedelta(days=900), clock.today() - timedelta(days=90))
        ]
        exams = self.things["exam_within"]
        self.put("correction", *[self._correction(exams[whose]) for whose in ("same", "other")])
        packs = {role: self._pack(person) for role, person in self.people.items()}
        self.put("evidence_pack", self._pack(self.peer), own=packs)
        self.put("law", "某法", missing="没有法")
        self.put("law_day", (clock.today() - timedelta(days=90)).isoformat(), missing="1999-01-01")
        self.put("law_version", versions[0])
        self.put("law_version_2", versions[1])
        picture = Media(
            sha256="ab" * 32, media_type="image/png", content=b"x", width=1, height=1, created_at=clock.now()
        )
        self.put("picture", self.world.save(picture).sha256, missing="cd" * 32)

    def _pack(self, person):
        pack = EvidencePack(
            exam_id=self.exam.id, state="done", file=b"PK", created_by_id=person.id, created_at=clock.now()
        )
        return self.world.save(pack).id

    def _correction(self, exam_id):
        row = Correction(
            kind="rules",
            change={"kind": "rules", "rules": {"scoring_rule": "all_or_nothing"}},
            exam_ids=[exam_id],
            reason="理由",
            public_reason="",
            is_published=False,
            fingerprint="",
            summary=summarise([]),
            attempt_ids=[],
            state="rejected",
            asked_by_id=self.peer.id,
            asked_at=clock.now(),
        )
        return self.world.save(row).id

    def _make_duty_things(self):
        lists = [self.duties.published(unit) for unit in (self.here, self.there)]
        items = [self.duties.items(duty_list)[0] for duty_list in lists]
        office = self.clients["P"]
        for item in items:
            answer = office.post(
                f"/admin/duties/items/{item.id}/records/new",
                data={"done_on": "2026-11-20", "form": "讲座", "reached": "30", "text": "讲了一课"},
            )
            assert answer.status_code == 302, answer.get_data(as_text=True)

        records = [self.world.session.query(DutyRecord).filter_by(item_id=item.id).one().id for item in items]
        self.put("duty_list", *[duty_list.id for duty_list in lists])
        self.put("duty_item", *[item.id for item in items])
        self.put("duty_record", *records)

    def _make_message_things(self):
        now = clock.now()
        notices = [
            self.world.save(Notice(title="通知", body="正文", unit_ids=[unit.id], published_at=now, created_at=now)).id
            for unit in (self.here, self.there)
        ]
        self.put("office_notice", *notices)
        self.put("notice", *notices)
        for kind in ("notice_file", "office_notice_file", "office_notice_file_to_remove"):
            self.put(kind, *[self.file(f"notice-{notice_id}").token for notice_id in notices])
        self.put(
            "feedback",
            *[
                self.world.save(Feedback(person_id=person.id, text="意见", created_at=now)).id
                for person in (self.peer, self.outsider)
            ],
        )

    def _make_courses(self):
        courses = [make_course(self.world, unit=unit, chapters=2) for unit in (self.here, self.there)]
        self.put("course", *[row.id for row in courses])
        self.put("course_to_learn", *[row.id for row in courses])
        self.put("chapter", *[row.chapters[0].id for row in courses])
        self.put("chapter_to_learn", *[row.chapters[0].id for row in courses])
        self.put("course_file", None, missing="none")
        question = self.world.question()
        self.put("question_to_practise", question.id)
        runs, items = {}, {}
        for name, person, row in (
            ("own", self.people["C"], courses[0]),
            ("same", self.peer, courses[0]),
            ("other", self.outsider, courses[1]),
        ):
            run = ExerciseRun(
                person_id=person.id,
                chapter_id=row.chapters[1].id,
                number=1,
                pass_count=1,
                started_at=clock.now(),
                started_on=clock.today(),
            )
            runs[name] = self.world.save(run).id
            item = PracticeItem(
                person_id=person.id,
                question_id=question.id,
                question_version_id=question.current_version_id,
                part=0,
                order="ABCD",
                drawn_at=clock.now(),
            )
            items[name] = self.world.save(item).id
            self.world.save(
                PracticeItem(
                    person_id=person.id,
                    question_id=question.id,
                    question_version_id=question.current_version_id,
                    part=0,
                    order="ABCD",
                    drawn_at=clock.now(),
                    run_id=run.id,
                )
            )
        self.put("run", runs["same"], runs["other"], own={"C": runs["own"]})
        self.put("practice_item", items["same"], items["other"], own={"C": items["own"]})
        self._make_cards()

    def _make_cards(self):
        mistaken = [self.world.question() for _ in range(3)]
        for person, question in zip((self.people["C"], self.peer, self.outsider), mistaken, strict=True):
            self.world.save(
                ReviewCard(
                    person_id=person.id, question_id=question.id, part=0, is_right=False, lapses=1, answered_at=clock.now(), due_at=clock.now(),
                    stability=1, difficulty=5,
                )
            )  # fmt: skip
        self.put("mistake", mistaken[1].id, mistaken[2].id, own={"C": mistaken[0].id})

    def _make_change_lists(self):
        now = clock.now()
        for name, state in (("draft", "draft"), ("sent", "submitted")):
            made = []
            for unit, person in ((self.here, self.peer), (self.there, self.outsider)):
                row = self.world.save(
                    RosterChangeRequest(
                        unit_id=unit.id, state=state, created_at=now, submitted_at=now, submitted_by_id=0
                    )
                )
                line = RosterChangeItem(
                    list_id=row.id,
                    kind="retire",
                    person_id=person.id,
                    staff_number=person.staff_number,
                    name=person.name,
                    effective_on=clock.today(),
                )
                made.append((row.id, self.world.save(line).id))
            self.put(f"{name}_changes", *[row for row, _ in made])
            self.put(f"{name}_change", *[line for _, line in made])

    def _make_result_imports(self):
        def made(person):
            job = self.world.save(
                ResultImport(
                    exam_id=self.exam.id,
                    created_by_id=person.id,
                    file_name="省考.xlsx",
                    digest="d",
                    state="done",
                    source="省平台",
                    taken_on=clock.today(),
                    points_possible=100,
                    created_at=clock.now(),
                )
            )
            row = ResultImportRow(import_id=job.id, line=2, name="某人", outcome="unmatched", points=80)
            return job.id, self.world.save(row).id

        same, other = made(self.peer), made(self.outsider)
        own = {role: made(self.people[role]) for role in "PQ"}
        for n, kind in enumerate(("result_import", "result_row")):
            self.put(kind, same[n], other[n], own={role: ids[n] for role, ids in own.items()})

    def _make_jobs(self):
        now = clock.now()

        def export(person, unit):
            row = Export(
                exam_id=self.exam.id,
                unit_id=unit.id,
                content="scores",
                format="csv",
                created_by_id=person.id,
                created_at=now,
                file=b"a,b",
                file_name="a.csv",
                state="done",
                as_of=now,
                expires_at=now + timedelta(days=1),
            )
            return self.world.save(row).id

        def roster(person):
            row = RosterImport(created_by_id=person.id, file_name="册.xlsx", state="queued", summary={}, created_at=now)
            return self.world.save(row).id

        self.put(
            "export",
            export(self.peer, self.here),
            export(self.outsider, self.there),
            own={role: export(self.people[role], self.here) for role in "UTPQ"},
        )
        self.put(
            "roster_import",
            roster(self.peer),
            roster(self.outsider),
            own={role: roster(self.people[role]) for role in "UTPQ"},
        )
        jobs = self.world.save(QuestionImport(file_name="题.xlsx", digest="d", state="done", created_at=now)).id
        self.put("question_import", jobs)
        imported = {"files": 0, "laws": [], "rejected": []}
        self.put("law_import", self.world.save(LawImport(state="done", summary=imported, created_at=now)).id)
        self.put("job", jobs)
        tasks = [
            self.world.save(
                QuestionAssignment(unit_id=unit.id, subject="宪法", count=2, due_on=now.date(), created_at=now)
            )
            for unit in (self.here, self.there)
        ]
        self.world.save(AssignmentFile(import_id=jobs, assignment_id=tasks[0].id))
        self.put("assignment", *[task.id for task in tasks])
        compared = {
            "edition": "2027 年版",
            "same": 3,
            "new": ["x-1"],
            "changed": [],
            "withdrawn": [],
            "own": [],
            "gists": 0,
            "courses": {"new": [], "kept": []},
        }
        update = BankUpdate(state="done", content=b"", summary=compared, created_at=now)
        self.put("bank_update", self.world.save(update).id)
        ticket = ReviewTicket(digest=b"d", reviewer="外人", workplace="某所", created_at=now, expires_at=now)
        self.put("review_ticket", self.world.save(ticket).id)
        self.put("review_token", "none")
        search = self.world.save(DuplicateSearch(state="done", pairs=[], created_at=now)).id
        self.put("duplicate_search", search)

        self.put("rehearsal", self.world.save(Rehearsal(roster=3, created_at=now, state="done")).id)
