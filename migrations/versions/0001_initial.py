"""The schema of the first release: all tables, the seed reasons of exemptions, and the triggers that mark outdated statistics.

The tables are generated from the models; what the models cannot say stands in `_create_live_sign_ins`, `_create_start_functions`, `_seed_exemption_reasons` and `_create_invalidation`.
"""

import sqlalchemy as sa
from alembic import op
from flask import current_app
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from examapp import clock
from examapp.platform.audit_chain import actions as audit_chain_actions
from examapp.platform.audit_chain.actions import head_of_chain

revision = "0001_initial"
down_revision = None
branch_labels = None
depends_on = None

_REASONS = (
    "距退休不足两年，本人书面申请",
    "长期病假",
    "长期学习培训或外派",
    "合同制工作人员",
    "执行安全保卫或应急任务",
    "其他",
)

# Table; column that is marked; what it is taken from (ROW is the old or the new row); columns whose change matters, empty for all.
STATS_SOURCES = (
    ("persons", "unit_id", "ROW.unit_id", ("unit_id", "state", "rank")),
    ("units", "unit_id", "ROW.id", ("region_path", "sector_path")),
    ("attempts", "person_id", "ROW.person_id", ("exam_id", "person_id", "number", "state", "submitted_at")),
    ("external_results", "person_id", "ROW.person_id", ()),
    ("exemptions", "person_id", "ROW.person_id", ()),
    ("makeup_eligibilities", "person_id", "ROW.person_id", ()),
    ("roster_snapshot_people", "unit_id", "ROW.unit_id", ("exam_id", "person_id", "unit_id", "excuse")),
    ("exam_audiences", "exam_id", "ROW.exam_id", ()),
)

# What a grade is made of never changes; for the first two at least the flag of what is in force may. Keys of questions that were never used are deleted with them.
FIXED_COLUMNS = {
    "grades": "UPDATE OF attempt_id, number, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, ruling_ids, mark_ids, sheet, correction_id",
    "item_marks": "UPDATE OF attempt_id, item, number, points, source",
    "item_rulings": "UPDATE OR DELETE",
    "answer_keys": "UPDATE",
}


def upgrade():
    _create_tables()
    # Questions and their versions point at each other, so one of the two keys comes last.
    op.create_foreign_key(
        "fk_questions_current_version_id", "questions", "question_versions", ["current_version_id"], ["id"], deferrable=True, initially="DEFERRED"
    )
    _create_live_sign_ins()
    _create_start_functions()
    _seed_exemption_reasons()
    for table, column, value, columns in STATS_SOURCES:
        _create_invalidation(table, column, value, columns)
    _create_invalidation_by_grades()
    _create_change_guards()
    _begin_audit_head()


def downgrade():
    for table in FIXED_COLUMNS:
        op.execute(f"DROP TRIGGER reject_change ON {table}")
    op.execute("DROP FUNCTION reject_change()")
    for table in (*(source[0] for source in STATS_SOURCES), "grades"):
        op.execute(f"DROP FUNCTION invalidate_stats_of_{table}() CASCADE")
    op.execute("DROP VIEW live_sign_ins")
    op.execute("DROP FUNCTION may_start(bigint, bigint, timestamptz)")
    op.execute("DROP FUNCTION counting_attempts(bigint, timestamptz)")
    op.execute("DROP FUNCTION same_person(bigint)")
    op.drop_constraint("fk_questions_current_version_id", "questions")
    _drop_tables()


def _create_change_guards():
    op.execute(
        """
        CREATE FUNCTION reject_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a row of % that grades are made of never changes', TG_TABLE_NAME; END $$
        """
    )
    for table, events in FIXED_COLUMNS.items():
        op.execute(f"CREATE TRIGGER reject_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION reject_change()")


def _seed_exemption_reasons():
    reasons = sa.table("exemption_reasons", sa.column("text", sa.Text()), sa.column("needs_details", sa.Boolean()))
    op.bulk_insert(reasons, [{"text": words, "needs_details": words == "其他"} for words in _REASONS])


def _create_live_sign_ins():
    """Create the one definition of a sign-in that is alive, for the statements that prove it themselves and for Flask-Login (decision 0036)."""
    op.execute("""
        CREATE VIEW live_sign_ins AS
        SELECT s.token_digest, s.id AS sign_in_id, s.started_at, s.seen_at, a.id AS account_id, a.person_id, a.login_name,
          a.must_change_password, a.password_changed_at, a.has_second_factor, a.has_elder_mode
        FROM sign_ins AS s JOIN accounts AS a ON a.id = s.account_id
        WHERE s.ended_at IS NULL AND a.disabled_at IS NULL AND NOT s.awaits_code
    """)


def _create_start_functions():
    """Create what every statement asks about keys and starts while somebody has an attempt in progress (decision 0027)."""
    # Rows of the same human: the row itself, and those of the same name and the same mobile number. An ID number stands in one row only.
    op.execute("""
        CREATE FUNCTION same_person(who bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
          SELECT who
          UNION ALL
          SELECT other.id FROM persons AS own
          JOIN persons AS other ON other.mobile_index = own.mobile_index AND other.name = own.name AND other.id <> own.id
          WHERE own.id = who
        $$
    """)
    # OFFSET 0: found by person, never by what is in progress: that is thousands at once, and a plan may be older than they are.
    op.execute("""
        CREATE FUNCTION counting_attempts(who bigint, at timestamptz)
        RETURNS TABLE (attempt_id bigint, exam_id bigint, person_id bigint) LANGUAGE sql STABLE AS $$
          SELECT a.id, a.exam_id, a.person_id
          FROM (SELECT * FROM attempts WHERE attempts.person_id = ANY(ARRAY(SELECT s FROM same_person(who) AS s)) OFFSET 0) AS a
          JOIN exams AS e ON e.id = a.exam_id
          WHERE a.state = 'in_progress' AND a.closes_at > at AND e.kind <> 'mock'
        $$
    """)
    # Volatile: the look comes after the lock and sees what was committed before it. Of two starts of one person the second waits.
    op.execute("""
        CREATE FUNCTION may_start(who bigint, in_exam bigint, at timestamptz) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtextextended('examapp start', (SELECT min(s) FROM same_person(who) AS s)));
          RETURN NOT EXISTS (
            SELECT FROM counting_attempts(who, at) AS c WHERE c.exam_id <> in_exam OR c.person_id <> who
          );
        END
        $$
    """)


def _begin_audit_head():
    """Write the head of the audit chain into the data folder, once and only here: a running site never makes the file (decision 0029)."""
    folder = current_app.config["SETTINGS"].data_path
    folder.mkdir(parents=True, exist_ok=True)
    with Session(op.get_bind()) as session:
        audit_chain_actions.begin(folder, head_of_chain(session, now=clock.now()), cipher=current_app.extensions["cipher"])


def _create_invalidation(table, column, value, columns):
    old, new = value.replace("ROW", "OLD"), value.replace("ROW", "NEW")
    op.execute(
        f"""
        CREATE FUNCTION invalidate_stats_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP <> 'INSERT' THEN
            INSERT INTO stats_invalidations ({column}) SELECT marked FROM (SELECT {old} AS marked) AS found WHERE marked IS NOT NULL;
          END IF;
          IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR {new} IS DISTINCT FROM {old}) THEN
            INSERT INTO stats_invalidations ({column}) SELECT marked FROM (SELECT {new} AS marked) AS found WHERE marked IS NOT NULL;
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER invalidate_stats AFTER INSERT OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION invalidate_stats_of_{table}()"
    )
    of = f"OF {', '.join(columns)} " if columns else ""
    whole = columns or ("*",)
    changed = " IS DISTINCT FROM ".join(f"ROW({', '.join(f'{row}.{c}' for c in whole)})" for row in ("OLD", "NEW"))
    op.execute(
        f"CREATE TRIGGER invalidate_changed_stats AFTER UPDATE {of}ON {table} FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION invalidate_stats_of_{table}()"
    )


def _create_invalidation_by_grades():
    """Mark whose grades a statement wrote, all at once: a correction writes those of a county, and of a row only `is_current` ever changes."""
    op.execute("""
        CREATE FUNCTION invalidate_stats_of_grades() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO stats_invalidations (person_id) SELECT DISTINCT person_id FROM attempts WHERE id IN (SELECT attempt_id FROM written);
          RETURN NULL;
        END $$
    """)
    for name, event, rows in (("stats", "INSERT", "NEW"), ("changed_stats", "UPDATE", "NEW"), ("deleted_stats", "DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER invalidate_{name} AFTER {event} ON grades REFERENCING {rows} TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION invalidate_stats_of_grades()"
        )


def _create_tables():
    op.create_table('jobs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=True),
    sa.Column('file_name', sa.Text(), server_default='', nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('run_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('lease_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('run_after', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('total', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('error_code', sa.Text(), server_default='', nullable=False),
    sa.Column('message', sa.Text(), server_default='', nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name=op.f('ck_jobs_lease')),
    sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'quarantined')", name=op.f('ck_jobs_state')),
    sa.CheckConstraint('done >= 0 AND total >= 0 AND run_count >= 0', name=op.f('ck_jobs_counts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs'))
    )
    op.create_index('ix_jobs_active', 'jobs', ['kind', 'run_after'], unique=False, postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_index('ix_jobs_created_by_id', 'jobs', ['created_by_id', 'created_at'], unique=False)
    op.create_index('ix_jobs_started_at', 'jobs', ['kind', 'started_at'], unique=False)
    op.create_index('uq_jobs_key', 'jobs', ['key'], unique=True, postgresql_where=sa.text("key IS NOT NULL AND state IN ('queued', 'running', 'done')"))
    op.create_table('address_failures',
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('name_key', sa.LargeBinary(), nullable=False),
    sa.Column('failed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('address', 'name_key', name=op.f('pk_address_failures'))
    )
    op.create_index('ix_address_failures_address_failed_at', 'address_failures', ['address', 'failed_at'], unique=False)
    op.create_table('answer_history',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('item', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('response', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_history'))
    )
    op.create_index('ix_answer_history_attempt_id', 'answer_history', ['attempt_id'], unique=False)
    op.create_table('approvals',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('request_key', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('requested_by_id', sa.BigInteger(), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn', 'expired')", name=op.f('ck_approvals_state')),
    sa.CheckConstraint("state NOT IN ('approved', 'refused') OR decided_by_id <> requested_by_id", name=op.f('ck_approvals_two_persons')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approvals'))
    )
    op.create_index('ix_approvals_requested_at', 'approvals', ['requested_at'], unique=False)
    op.create_index('uq_approvals_waiting', 'approvals', ['act', 'request_key'], unique=True, postgresql_where="state = 'waiting'")
    op.create_table('attempt_contacts',
    sa.Column('attempt_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_attempt_contacts')),
    prefixes=['UNLOGGED']
    )
    op.create_table('audit_archives',
    sa.Column('last_number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('first_number', sa.BigInteger(), nullable=False),
    sa.Column('last_digest', sa.LargeBinary(), nullable=False),
    sa.Column('through_event_id', sa.BigInteger(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('last_number', name=op.f('pk_audit_archives'))
    )
    op.create_table('audit_events',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('object_type', sa.Text(), nullable=False),
    sa.Column('object_id', sa.BigInteger(), nullable=True),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_events'))
    )
    op.create_index('ix_audit_events_actor_id_at', 'audit_events', ['actor_id', 'at'], unique=False)
    op.create_index('ix_audit_events_at', 'audit_events', ['at'], unique=False)
    op.create_index('ix_audit_events_object', 'audit_events', ['object_type', 'object_id'], unique=False)
    op.create_table('audit_seals',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('previous', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('horizon', sa.BigInteger(), nullable=False),
    sa.Column('next_xid', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_audit_seals'))
    )
    op.create_index('uq_audit_seals_event_id', 'audit_seals', ['event_id'], unique=True)
    op.create_table('blueprints',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('is_shuffled', sa.Boolean(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_blueprints'))
    )
    op.create_table('certificate_templates',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('signer', sa.Text(), nullable=False),
    sa.Column('seal', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_templates')),
    sa.UniqueConstraint('name', name=op.f('uq_certificate_templates_name'))
    )
    op.create_table('duplicate_searches',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('pairs', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_duplicate_searches_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duplicate_searches'))
    )
    op.create_table('duty_key_days',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('last_month', sa.Integer(), nullable=False),
    sa.Column('last_day', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.CheckConstraint('month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31', name=op.f('ck_duty_key_days_day')),
    sa.CheckConstraint('last_month BETWEEN 1 AND 12 AND last_day BETWEEN 1 AND 31', name=op.f('ck_duty_key_days_last_day')),
    sa.CheckConstraint('(month, day) <= (last_month, last_day)', name=op.f('ck_duty_key_days_span')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_key_days')),
    sa.UniqueConstraint('month', 'day', 'last_month', 'last_day', name=op.f('uq_duty_key_days_month_day_last_month_last_day'))
    )
    op.create_table('duty_plan_periods',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('first_year', sa.Integer(), nullable=False),
    sa.Column('last_year', sa.Integer(), nullable=False),
    sa.CheckConstraint('first_year <= last_year', name=op.f('ck_duty_plan_periods_years')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_plan_periods')),
    sa.UniqueConstraint('name', name=op.f('uq_duty_plan_periods_name'))
    )
    op.create_table('exemption_reasons',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('needs_details', sa.Boolean(), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exemption_reasons')),
    sa.UniqueConstraint('text', name=op.f('uq_exemption_reasons_text'))
    )
    op.create_table('feedbacks',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('page', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_by_id', sa.BigInteger(), nullable=True),
    sa.Column('answer_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feedbacks'))
    )
    op.create_index('ix_feedbacks_person_id', 'feedbacks', ['person_id'], unique=False)
    op.create_index('ix_feedbacks_unanswered', 'feedbacks', ['created_at'], unique=False, postgresql_where='answered_at IS NULL')
    op.create_table('heartbeats',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('beat_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_heartbeats'))
    )
    op.create_table('knowledge_points',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_points')),
    sa.UniqueConstraint('name', name=op.f('uq_knowledge_points_name'))
    )
    op.create_table('laws',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('unchecked_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_laws')),
    sa.UniqueConstraint('name', name=op.f('uq_laws_name'))
    )
    op.create_index('ix_laws_unchecked', 'laws', ['id'], unique=False, postgresql_where=sa.text('unchecked_since IS NOT NULL'))
    op.create_table('media',
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_media'))
    )
    op.create_table('notices',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('unit_ids', postgresql.ARRAY(sa.BigInteger()), nullable=True),
    sa.Column('asks_receipt', sa.Boolean(), nullable=False),
    sa.Column('is_for_admins', sa.Boolean(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices'))
    )
    op.create_table('message_preferences',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('unsubscribed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('unsubscribed_by', sa.Text(), server_default='', nullable=False),
    sa.Column('email_encrypted', sa.LargeBinary(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_message_preferences'))
    )
    op.create_table('message_channels',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('failure_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('succeeded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('name', 'kind', name=op.f('pk_message_channels'))
    )
    op.create_table('outgoing_messages',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('once_key', sa.Text(), nullable=False),
    sa.Column('parameters', sa.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('is_urgent', sa.Boolean(), nullable=False),
    sa.Column('is_last_call', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('channel', sa.Text(), server_default='', nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('delivery_count', sa.SmallInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('sent_on', sa.Date(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('operator_id', sa.Text(), server_default='', nullable=False),
    sa.Column('segment_count', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('cost', sa.Numeric(precision=9, scale=4), server_default='0', nullable=False),
    sa.Column('report', sa.Text(), server_default='', nullable=False),
    sa.Column('reported_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('poll_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed', 'expired')", name=op.f('ck_outgoing_messages_state')),
    sa.CheckConstraint("report IN ('', 'delivered', 'undelivered')", name=op.f('ck_outgoing_messages_report')),
    sa.CheckConstraint('sent_on IS NULL OR NOT (is_urgent OR is_last_call)', name=op.f('ck_outgoing_messages_urgent_takes_no_day')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outgoing_messages')),
    sa.UniqueConstraint('once_key', name=op.f('uq_outgoing_messages_once_key'))
    )
    op.create_index('ix_outgoing_messages_created_at', 'outgoing_messages', ['created_at'], unique=False)
    op.create_index('ix_outgoing_messages_due', 'outgoing_messages', ['try_at'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'sending')"))
    op.create_index('ix_outgoing_messages_operator_id', 'outgoing_messages', ['operator_id'], unique=False, postgresql_where=sa.text("operator_id <> ''"))
    op.create_index('ix_outgoing_messages_poll_at', 'outgoing_messages', ['poll_at'], unique=False, postgresql_where=sa.text('poll_at IS NOT NULL'))
    op.create_index('uq_outgoing_messages_one_a_day', 'outgoing_messages', ['person_id', 'sent_on'], unique=True, postgresql_where=sa.text('sent_on IS NOT NULL'))
    op.create_table('pending_uploads',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('room', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('sent_by_id', sa.BigInteger(), nullable=False),
    sa.Column('touched_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('received >= 0 AND received <= size', name=op.f('ck_pending_uploads_received')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pending_uploads')),
    sa.UniqueConstraint('token', name=op.f('uq_pending_uploads_token'))
    )
    op.create_index('ix_pending_uploads_touched_at', 'pending_uploads', ['touched_at'], unique=False)
    op.create_table('backup_requests',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('requested_by_id', sa.BigInteger(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('size_bytes', sa.BigInteger(), nullable=True),
    sa.Column('message', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f('ck_backup_requests_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backup_requests'))
    )
    op.create_table('platform_flags',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_platform_flags'))
    )
    op.create_table('question_imports',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('answers', sa.LargeBinary(), nullable=True),
    sa.Column('answers_name', sa.Text(), nullable=False),
    sa.Column('parsed', sa.LargeBinary(), nullable=True),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('is_confirmed', sa.Boolean(), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_question_imports_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question_imports'))
    )
    op.create_table('bank_updates',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('is_confirmed', sa.Boolean(), nullable=False),
    sa.Column('overwritten', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('withdraws', sa.Boolean(), nullable=False),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_bank_updates_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_updates'))
    )
    op.create_table('content_loads',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('parts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_content_loads_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_content_loads'))
    )
    op.create_table('law_imports',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_law_imports_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_law_imports'))
    )
    op.create_table('rehearsals',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('roster', sa.Integer(), nullable=False),
    sa.Column('is_go', sa.Boolean(), nullable=True),
    sa.Column('figures', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_rehearsals_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rehearsals'))
    )
    op.create_table('report_schedules',
    sa.Column('moment', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('changed_by_id', sa.BigInteger(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("moment IN ('monday', 'close')", name=op.f('ck_report_schedules_moment')),
    sa.PrimaryKeyConstraint('moment', name=op.f('pk_report_schedules'))
    )
    op.create_table('report_templates',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('file', sa.LargeBinary(), nullable=True),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('is_current', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_templates')),
    sa.UniqueConstraint('content', 'number', name=op.f('uq_report_templates_content_number'))
    )
    op.create_index('uq_report_templates_current', 'report_templates', ['content'], unique=True, postgresql_where=sa.text('is_current'))
    op.create_table('reset_requests',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reset_requests'))
    )
    op.create_index('ix_reset_requests_account_id', 'reset_requests', ['account_id'], unique=False)
    op.create_index('ix_reset_requests_address_asked_at', 'reset_requests', ['address', 'requested_at'], unique=False)
    op.create_index('ix_reset_requests_unsent', 'reset_requests', ['id'], unique=False, postgresql_where='handled_at IS NULL')
    op.create_table('retention_runs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('ran_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_by_id', sa.BigInteger(), nullable=True),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention_runs'))
    )
    op.create_table('stats_invalidations',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=True),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('num_nonnulls(exam_id, unit_id, person_id) = 1', name=op.f('ck_stats_invalidations_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stats_invalidations'))
    )
    op.create_table('stored_files',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('room', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('stored_by_id', sa.BigInteger(), nullable=True),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('size > 0', name=op.f('ck_stored_files_size')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stored_files')),
    sa.UniqueConstraint('token', name=op.f('uq_stored_files_token'))
    )
    op.create_table('unit_stats_cache',
    sa.Column('roster_key', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('roster', sa.Integer(), nullable=False),
    sa.Column('exempt', sa.Integer(), nullable=False),
    sa.Column('deferred', sa.Integer(), nullable=False),
    sa.Column('participated', sa.Integer(), nullable=False),
    sa.Column('passed', sa.Integer(), nullable=False),
    sa.Column('good', sa.Integer(), nullable=False),
    sa.Column('excellent', sa.Integer(), nullable=False),
    sa.Column('graded', sa.Integer(), nullable=False),
    sa.Column('in_progress', sa.Integer(), nullable=False),
    sa.Column('excused_sat', sa.Integer(), nullable=False),
    sa.Column('points_total', sa.Numeric(precision=14, scale=2), nullable=False),
    sa.PrimaryKeyConstraint('roster_key', 'unit_id', name=op.f('pk_unit_stats_cache'))
    )
    op.create_index('ix_kept_figures_exam_id', 'unit_stats_cache', ['exam_id'], unique=False)
    op.create_table('units',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('uscc', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('parent_id', sa.BigInteger(), nullable=True),
    sa.Column('sector_parent_id', sa.BigInteger(), nullable=True),
    sa.Column('region_path', sa.Text(), nullable=False),
    sa.Column('sector_path', sa.Text(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('successor_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('issuer_name', sa.Text(), nullable=True),
    sa.CheckConstraint("region_path LIKE '/%%/'", name=op.f('ck_units_region_path')),
    sa.CheckConstraint("sector_path IS NULL OR sector_path LIKE '/%%/'", name=op.f('ck_units_sector_path')),
    sa.ForeignKeyConstraint(['parent_id'], ['units.id'], name=op.f('fk_units_parent_id')),
    sa.ForeignKeyConstraint(['sector_parent_id'], ['units.id'], name=op.f('fk_units_sector_parent_id')),
    sa.ForeignKeyConstraint(['successor_id'], ['units.id'], name=op.f('fk_units_successor_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_units')),
    sa.UniqueConstraint('code', name=op.f('uq_units_code')),
    sa.UniqueConstraint('uscc', name=op.f('uq_units_uscc'))
    )
    op.create_index(op.f('ix_units_parent_id'), 'units', ['parent_id'], unique=False)
    op.create_index('ix_units_region_path', 'units', ['region_path'], unique=False, postgresql_ops={'region_path': 'text_pattern_ops'})
    op.create_index(op.f('ix_units_sector_parent_id'), 'units', ['sector_parent_id'], unique=False)
    op.create_index('ix_units_sector_path', 'units', ['sector_path'], unique=False, postgresql_ops={'sector_path': 'text_pattern_ops'})
    op.create_index('ix_units_successor_id', 'units', ['successor_id'], unique=False, postgresql_where='successor_id IS NOT NULL')
    op.create_table('unknown_login_names',
    sa.Column('name_digest', sa.LargeBinary(), nullable=False),
    sa.Column('failures', sa.SmallInteger(), nullable=False),
    sa.Column('first_failure_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name_digest', name=op.f('pk_unknown_login_names'))
    )
    op.create_table('used_captchas',
    sa.Column('nonce', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('is_waited', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('nonce', name=op.f('pk_used_captchas'))
    )
    op.create_index('ix_used_captchas_address', 'used_captchas', ['address', 'used_at'], unique=False, postgresql_where='is_waited')
    op.create_table('worker_heartbeats',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('saves', sa.Integer(), nullable=False),
    sa.Column('save_p50_ms', sa.Integer(), nullable=False),
    sa.Column('save_p95_ms', sa.Integer(), nullable=False),
    sa.Column('starts', sa.Integer(), nullable=False),
    sa.Column('hand_ins', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('next_save_ms', sa.Integer(), nullable=False),
    sa.Column('starts_per_second', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_worker_heartbeats')),
    prefixes=['UNLOGGED']
    )
    op.create_table('blueprint_sections',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('blueprint_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('instructions', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('scoring', sa.Text(), nullable=False),
    sa.Column('part_count', sa.Integer(), nullable=True),
    sa.Column('points_each', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('laws', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('knowledge_points', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('codes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('topics', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('difficulties', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.CheckConstraint('count > 0', name=op.f('ck_blueprint_sections_count')),
    sa.CheckConstraint('points_each > 0', name=op.f('ck_blueprint_sections_points_each')),
    sa.CheckConstraint('part_count > 0', name=op.f('ck_blueprint_sections_part_count')),
    sa.ForeignKeyConstraint(['blueprint_id'], ['blueprints.id'], name=op.f('fk_blueprint_sections_blueprint_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_blueprint_sections'))
    )
    op.create_index(op.f('ix_blueprint_sections_blueprint_id'), 'blueprint_sections', ['blueprint_id'], unique=False)
    op.create_table('courses',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('is_required', sa.Boolean(), nullable=False),
    sa.Column('credits', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('sector_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('ranks', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name=op.f('ck_courses_state')),
    sa.CheckConstraint('credits >= 0', name=op.f('ck_courses_credits')),
    sa.ForeignKeyConstraint(['sector_unit_id'], ['units.id'], name=op.f('fk_courses_sector_unit_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_courses_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_courses'))
    )
    op.create_index(op.f('ix_courses_unit_id'), 'courses', ['unit_id'], unique=False)
    op.create_table('duty_lists',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('proposed_by_id', sa.BigInteger(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('published_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'proposed', 'published')", name=op.f('ck_duty_lists_state')),
    sa.CheckConstraint('year BETWEEN 2000 AND 2100', name=op.f('ck_duty_lists_year')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_duty_lists_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_lists')),
    sa.UniqueConstraint('unit_id', 'year', name=op.f('uq_duty_lists_unit_id_year'), postgresql_nulls_not_distinct=True)
    )
    op.create_index(op.f('ix_duty_lists_year'), 'duty_lists', ['year'], unique=False)
    op.create_table('exams',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('main_exam_id', sa.BigInteger(), nullable=True),
    sa.Column('blueprint_id', sa.BigInteger(), nullable=True),
    sa.Column('instructions', sa.Text(), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('duration_s', sa.Integer(), nullable=False),
    sa.Column('lateness_s', sa.Integer(), nullable=True),
    sa.Column('is_full_duration', sa.Boolean(), nullable=False),
    sa.Column('grace_s', sa.Integer(), nullable=False),
    sa.Column('attempts_allowed', sa.Integer(), nullable=True),
    sa.Column('counting_rule', sa.Text(), nullable=False),
    sa.Column('scoring_rule', sa.Text(), nullable=False),
    sa.Column('pass_percent', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('good_percent', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('excellent_percent', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('results_policy', sa.Text(), nullable=False),
    sa.Column('results_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('keys_policy', sa.Text(), nullable=False),
    sa.Column('keys_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('focus_loss_limit', sa.Integer(), nullable=True),
    sa.Column('has_pledge', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('study_gate', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('snapshot_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('has_snapshot_at_close', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('anonymised_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('snapshot_created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('result_version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('corrections', sa.Integer(), server_default='0', nullable=False),
    sa.Column('has_external_results', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('cached_roster_keys', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('exam_notice', sa.Text(), server_default='', nullable=False),
    sa.Column('were_keys_out', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(kind = 'makeup') = (main_exam_id IS NOT NULL)", name=op.f('ck_exams_makeup_has_main')),
    sa.CheckConstraint('attempts_allowed IS NULL OR attempts_allowed > 0', name=op.f('ck_exams_attempts_allowed')),
    sa.CheckConstraint('closes_at > opens_at', name=op.f('ck_exams_window')),
    sa.CheckConstraint('duration_s > 0', name=op.f('ck_exams_duration')),
    sa.CheckConstraint('grace_s >= 0', name=op.f('ck_exams_grace')),
    sa.CheckConstraint('pass_percent <= good_percent AND good_percent <= excellent_percent', name=op.f('ck_exams_bands')),
    sa.ForeignKeyConstraint(['blueprint_id'], ['blueprints.id'], name=op.f('fk_exams_blueprint_id')),
    sa.ForeignKeyConstraint(['main_exam_id'], ['exams.id'], name=op.f('fk_exams_main_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exams'))
    )
    op.create_index(op.f('ix_exams_main_exam_id'), 'exams', ['main_exam_id'], unique=False)
    op.create_table('law_versions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('law_id', sa.BigInteger(), nullable=False),
    sa.Column('version_on', sa.Date(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=True),
    sa.Column('repealed_on', sa.Date(), nullable=True),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('preamble', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['law_id'], ['laws.id'], name=op.f('fk_law_versions_law_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_law_versions')),
    sa.UniqueConstraint('law_id', 'version_on', name=op.f('uq_law_versions_law_id_version_on'))
    )
    op.create_table('notice_readings',
    sa.Column('notice_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('signed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['notice_id'], ['notices.id'], name=op.f('fk_notice_readings_notice_id')),
    sa.PrimaryKeyConstraint('notice_id', 'person_id', name=op.f('pk_notice_readings'))
    )
    op.create_table('papers',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('blueprint_id', sa.BigInteger(), nullable=True),
    sa.Column('sections', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('response_schema', sa.Text(), nullable=False),
    sa.Column('total_points', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['blueprint_id'], ['blueprints.id'], name=op.f('fk_papers_blueprint_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_papers'))
    )
    op.create_index(op.f('ix_papers_blueprint_id'), 'papers', ['blueprint_id'], unique=False)
    op.create_table('persons',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('staff_number', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('rank', sa.Text(), nullable=False),
    sa.Column('position', sa.Text(), nullable=False),
    sa.Column('id_number_encrypted', sa.LargeBinary(), nullable=True),
    sa.Column('id_number_index', sa.LargeBinary(), nullable=True),
    sa.Column('mobile_encrypted', sa.LargeBinary(), nullable=True),
    sa.Column('mobile_index', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('on_roster', 'off_roster', 'left', 'anonymous')", name=op.f('ck_persons_state')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_persons_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_persons')),
    sa.UniqueConstraint('staff_number', name=op.f('uq_persons_staff_number'))
    )
    op.create_index('ix_persons_mobile_index', 'persons', ['mobile_index'], unique=False)
    op.create_index('ix_persons_unit_id_state', 'persons', ['unit_id', 'state'], unique=False)
    op.create_index('uq_persons_id_number_index', 'persons', ['id_number_index'], unique=True)
    op.create_table('questions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('difficulty', sa.Text(), nullable=True),
    sa.Column('law_name', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('review_note', sa.Text(), nullable=False),
    sa.Column('law_change', sa.Text(), nullable=False),
    sa.Column('current_version_id', sa.BigInteger(), nullable=True),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('reviewed_by_id', sa.BigInteger(), nullable=True),
    sa.Column('import_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'reviewed', 'active', 'retired')", name=op.f('ck_questions_state')),
    sa.ForeignKeyConstraint(['current_version_id'], ['question_versions.id'], name=op.f('fk_questions_current_version_id'), initially='DEFERRED', deferrable=True, use_alter=True),
    sa.ForeignKeyConstraint(['import_id'], ['question_imports.id'], name=op.f('fk_questions_import_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questions')),
    sa.UniqueConstraint('code', name=op.f('uq_questions_code'))
    )
    op.create_index(op.f('ix_questions_created_by_id'), 'questions', ['created_by_id'], unique=False)
    op.create_index(op.f('ix_questions_import_id'), 'questions', ['import_id'], unique=False)
    op.create_index('ix_questions_law_change', 'questions', ['law_change'], unique=False, postgresql_where=sa.text("law_change <> ''"))
    op.create_index(op.f('ix_questions_law_name'), 'questions', ['law_name'], unique=False)
    op.create_index('ix_questions_state_kind', 'questions', ['state', 'kind'], unique=False)
    op.create_index(op.f('ix_questions_topic'), 'questions', ['topic'], unique=False)
    op.create_index('ix_questions_updated_at', 'questions', ['updated_at', 'id'], unique=False)
    op.create_table('roster_change_requests',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'submitted', 'returned', 'approved', 'withdrawn')", name=op.f('ck_roster_change_requests_state')),
    sa.CheckConstraint("state NOT IN ('submitted', 'approved') OR submitted_at IS NOT NULL", name=op.f('ck_roster_change_requests_submitted')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_roster_change_requests_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roster_change_requests'))
    )
    op.create_index(op.f('ix_roster_change_requests_unit_id'), 'roster_change_requests', ['unit_id'], unique=False)
    op.create_table('roster_imports',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('is_confirmed', sa.Boolean(), nullable=False),
    sa.Column('is_whole', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('annotated', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_roster_imports_unit_id')),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_roster_imports_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roster_imports'))
    )
    op.create_table('study_events',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('theme', sa.Text(), nullable=False),
    sa.Column('laws', sa.Text(), nullable=False),
    sa.Column('speaker', sa.Text(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('audience', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('outside_count', sa.Integer(), nullable=False),
    sa.Column('is_distinct', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('code_seed', sa.LargeBinary(), nullable=False),
    sa.Column('code_opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('code_closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('study_group', 'report', 'lecture', 'night_school', 'court', 'outreach', 'case', 'culture', 'other')", name=op.f('ck_study_events_kind')),
    sa.CheckConstraint("state IN ('planned', 'held', 'cancelled')", name=op.f('ck_study_events_state')),
    sa.CheckConstraint('(code_opened_at IS NULL) = (code_closes_at IS NULL)', name=op.f('ck_study_events_code')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_study_events_times')),
    sa.CheckConstraint('outside_count >= 0', name=op.f('ck_study_events_outside_count')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_study_events_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_study_events'))
    )
    op.create_index('ix_study_events_starts_at', 'study_events', ['starts_at'], unique=False)
    op.create_index('ix_study_events_unit_id_starts_at', 'study_events', ['unit_id', 'starts_at'], unique=False)
    op.create_table('explained_cases',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('laws', sa.Text(), nullable=False),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('holding', sa.Text(), nullable=False),
    sa.Column('lesson', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('is_anonymised', sa.Boolean(), nullable=False),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('reviewed_by_id', sa.BigInteger(), nullable=True),
    sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state <> 'published' OR is_anonymised", name=op.f('ck_explained_cases_anonymised')),
    sa.CheckConstraint("state IN ('draft', 'submitted', 'published')", name=op.f('ck_explained_cases_state')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_explained_cases_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_explained_cases'))
    )
    op.create_index('ix_explained_cases_unit_id_state', 'explained_cases', ['unit_id', 'state'], unique=False)
    op.create_table('campaigns',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('laws', sa.Text(), nullable=False),
    sa.Column('task', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('starts_on <= ends_on', name=op.f('ck_campaigns_days')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaigns')),
    sa.UniqueConstraint('year', 'name', name=op.f('uq_campaigns_year_name'))
    )
    op.create_table('campaign_units',
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('noted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_campaign_units_campaign_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_campaign_units_unit_id')),
    sa.PrimaryKeyConstraint('campaign_id', 'unit_id', name=op.f('pk_campaign_units'))
    )
    op.create_index(op.f('ix_campaign_units_unit_id'), 'campaign_units', ['unit_id'], unique=False)
    op.create_table('unit_changes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('other_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('unit_name', sa.Text(), nullable=False),
    sa.Column('other_name', sa.Text(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('changed_by_id', sa.BigInteger(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('merge', 'split', 'rename')", name=op.f('ck_unit_changes_kind')),
    sa.ForeignKeyConstraint(['other_unit_id'], ['units.id'], name=op.f('fk_unit_changes_other_unit_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_unit_changes_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_changes'))
    )
    op.create_index('ix_unit_changes_unit_id', 'unit_changes', ['unit_id'], unique=False)
    op.create_table('unit_mastery',
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('right_count', sa.Integer(), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('answered >= right_count AND right_count >= 0', name=op.f('ck_unit_mastery_right_count')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_unit_mastery_unit_id')),
    sa.PrimaryKeyConstraint('unit_id', 'kind', 'name', name=op.f('pk_unit_mastery'))
    )
    op.create_table('accounts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('login_name', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('first_password_encrypted', sa.LargeBinary(), nullable=True),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('password_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failures', sa.SmallInteger(), nullable=False),
    sa.Column('first_failure_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_demo', sa.Boolean(), nullable=False),
    sa.Column('has_second_factor', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('has_elder_mode', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_accounts_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('login_name', name=op.f('uq_accounts_login_name')),
    sa.UniqueConstraint('person_id', name=op.f('uq_accounts_person_id'))
    )
    op.create_table('admissions',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('ticket', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('called_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('admitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_admissions_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_admissions_person_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', name=op.f('pk_admissions'))
    )
    op.create_index('ix_admissions_waiting', 'admissions', ['ticket'], unique=False, postgresql_where=sa.text('admitted_at IS NULL'))
    op.create_table('attempts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('response_schema', sa.Text(), nullable=False),
    sa.Column('unsure', postgresql.ARRAY(sa.Integer()), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_forced', sa.Boolean(), nullable=False),
    sa.Column('receipt_number', sa.Text(), nullable=True),
    sa.Column('receipt_sha256', sa.Text(), nullable=True),
    sa.Column('answered', sa.Integer(), nullable=True),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('grading_retry_count', sa.Integer(), nullable=False),
    sa.Column('grading_began_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('quarantined_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_annulled', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("(state = 'in_progress') = (submitted_at IS NULL)", name=op.f('ck_attempts_submitted_once')),
    sa.CheckConstraint("state IN ('in_progress', 'submitted', 'graded')", name=op.f('ck_attempts_state')),
    sa.CheckConstraint('(submitted_at IS NULL) = (receipt_number IS NULL)', name=op.f('ck_attempts_receipt_with_submission')),
    sa.CheckConstraint('closes_at >= deadline_at', name=op.f('ck_attempts_closes_after_deadline')),
    sa.CheckConstraint('epoch >= 1', name=op.f('ck_attempts_epoch')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_attempts_exam_id')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_attempts_paper_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_attempts_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_attempts_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempts')),
    sa.UniqueConstraint('exam_id', 'person_id', 'number', name=op.f('uq_attempts_exam_id_person_id_number')),
    sa.UniqueConstraint('receipt_number', name=op.f('uq_attempts_receipt_number'))
    )
    op.create_index('ix_attempts_overdue', 'attempts', ['closes_at'], unique=False, postgresql_where=sa.text("state = 'in_progress'"))
    op.create_index('ix_attempts_person_id', 'attempts', ['person_id'], unique=False)
    op.create_index('ix_attempts_ungraded', 'attempts', ['submitted_at'], unique=False, postgresql_where=sa.text("state = 'submitted'"))
    op.create_index('uq_attempts_live', 'attempts', ['exam_id', 'person_id'], unique=True, postgresql_where=sa.text("state = 'in_progress'"))
    op.create_table('certificate_plans',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('template_id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=True),
    sa.Column('last_serial', sa.Integer(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_certificate_plans_exam_id')),
    sa.ForeignKeyConstraint(['template_id'], ['certificate_templates.id'], name=op.f('fk_certificate_plans_template_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_plans')),
    sa.UniqueConstraint('prefix', name=op.f('uq_certificate_plans_prefix'))
    )
    op.create_table('chapters',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), server_default='', nullable=False),
    sa.Column('law', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('exercise_count', sa.Integer(), nullable=False),
    sa.Column('pass_count', sa.Integer(), nullable=False),
    sa.CheckConstraint('exercise_count > 0', name=op.f('ck_chapters_exercise_count')),
    sa.CheckConstraint('pass_count > 0 AND pass_count <= exercise_count', name=op.f('ck_chapters_pass_count')),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_chapters_course_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chapters'))
    )
    op.create_index(op.f('ix_chapters_course_id'), 'chapters', ['course_id'], unique=False)
    op.create_table('course_completions',
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('is_required', sa.Boolean(), nullable=False),
    sa.Column('credits', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_course_completions_course_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_course_completions_person_id')),
    sa.PrimaryKeyConstraint('course_id', 'person_id', name=op.f('pk_course_completions'))
    )
    op.create_index(op.f('ix_course_completions_person_id'), 'course_completions', ['person_id'], unique=False)
    op.create_table('course_editions',
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('published_by_id', sa.BigInteger(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_course_editions_course_id')),
    sa.PrimaryKeyConstraint('course_id', 'number', name=op.f('pk_course_editions'))
    )
    op.create_table('course_people',
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_course_people_course_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_course_people_person_id')),
    sa.PrimaryKeyConstraint('course_id', 'person_id', name=op.f('pk_course_people'))
    )
    op.create_index(op.f('ix_course_people_person_id'), 'course_people', ['person_id'], unique=False)
    op.create_table('daily_questions',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_daily_questions_question_id')),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_daily_questions'))
    )
    op.create_table('distinct_pairs',
    sa.Column('lower_id', sa.BigInteger(), nullable=False),
    sa.Column('higher_id', sa.BigInteger(), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('lower_id < higher_id', name=op.f('ck_distinct_pairs_order')),
    sa.ForeignKeyConstraint(['higher_id'], ['questions.id'], name=op.f('fk_distinct_pairs_higher_id')),
    sa.ForeignKeyConstraint(['lower_id'], ['questions.id'], name=op.f('fk_distinct_pairs_lower_id')),
    sa.PrimaryKeyConstraint('lower_id', 'higher_id', name=op.f('pk_distinct_pairs'))
    )
    op.create_table('due_counts',
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('due', sa.Integer(), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_due_counts_person_id')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_due_counts'))
    )
    op.create_table('duty_assessments',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('bands', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('self_due_on', sa.Date(), nullable=True),
    sa.Column('appeal_days', sa.Integer(), nullable=False),
    sa.Column('vote_until', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('draft', 'open')", name=op.f('ck_duty_assessments_state')),
    sa.CheckConstraint('appeal_days BETWEEN 1 AND 60', name=op.f('ck_duty_assessments_appeal_days')),
    sa.CheckConstraint('year BETWEEN 2000 AND 2100', name=op.f('ck_duty_assessments_year')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_duty_assessments_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_assessments')),
    sa.UniqueConstraint('year', name=op.f('uq_duty_assessments_year'))
    )
    op.create_table('duty_plan_evaluations',
    sa.Column('first_year', sa.Integer(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('written_by_id', sa.BigInteger(), nullable=True),
    sa.Column('written_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("stage IN ('midterm', 'final')", name=op.f('ck_duty_plan_evaluations_stage')),
    sa.PrimaryKeyConstraint('first_year', 'stage', name=op.f('pk_duty_plan_evaluations'))
    )
    op.create_table('duty_reports',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('texts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('submitted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_by_id', sa.BigInteger(), nullable=True),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('leader', 'unit')", name=op.f('ck_duty_reports_kind')),
    sa.CheckConstraint("state = 'open' OR submitted_at IS NOT NULL", name=op.f('ck_duty_reports_submitted')),
    sa.CheckConstraint("state IN ('open', 'submitted', 'read')", name=op.f('ck_duty_reports_state')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_duty_reports_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_duty_reports_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_reports')),
    sa.UniqueConstraint('unit_id', 'year', 'kind', name=op.f('uq_duty_reports_unit_id_year_kind'))
    )
    op.create_index(op.f('ix_duty_reports_person_id'), 'duty_reports', ['person_id'], unique=False)
    op.create_index('ix_duty_reports_year_kind', 'duty_reports', ['year', 'kind'], unique=False)
    op.create_table('duty_items',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('source_id', sa.BigInteger(), nullable=True),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('audience', sa.Text(), nullable=False),
    sa.Column('carrier', sa.Text(), nullable=False),
    sa.Column('measures', sa.Text(), nullable=False),
    sa.Column('standard', sa.Text(), nullable=False),
    sa.Column('leader', sa.Text(), nullable=False),
    sa.Column('person', sa.Text(), nullable=False),
    sa.Column('department', sa.Text(), nullable=False),
    sa.Column('key_on', sa.Date(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('common', 'own')", name=op.f('ck_duty_items_kind')),
    sa.ForeignKeyConstraint(['list_id'], ['duty_lists.id'], name=op.f('fk_duty_items_list_id')),
    sa.ForeignKeyConstraint(['source_id'], ['duty_items.id'], name=op.f('fk_duty_items_source_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_items'))
    )
    op.create_index('ix_duty_items_due_on', 'duty_items', ['due_on'], unique=False, postgresql_where='withdrawn_at IS NULL')
    op.create_index(op.f('ix_duty_items_list_id'), 'duty_items', ['list_id'], unique=False)
    op.create_index(op.f('ix_duty_items_source_id'), 'duty_items', ['source_id'], unique=False)
    op.create_table('event_attendances',
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('noted_by_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("way IN ('code', 'list')", name=op.f('ck_event_attendances_way')),
    sa.ForeignKeyConstraint(['event_id'], ['study_events.id'], name=op.f('fk_event_attendances_event_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_event_attendances_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_event_attendances_unit_id')),
    sa.PrimaryKeyConstraint('event_id', 'person_id', name=op.f('pk_event_attendances'))
    )
    op.create_index(op.f('ix_event_attendances_person_id'), 'event_attendances', ['person_id'], unique=False)
    op.create_table('event_code_attempts',
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('wrong', sa.SmallInteger(), nullable=False),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['study_events.id'], name=op.f('fk_event_code_attempts_event_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_event_code_attempts_person_id')),
    sa.PrimaryKeyConstraint('event_id', 'person_id', name=op.f('pk_event_code_attempts'))
    )
    op.create_table('event_materials',
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('file_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['study_events.id'], name=op.f('fk_event_materials_event_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_files.id'], name=op.f('fk_event_materials_file_id')),
    sa.PrimaryKeyConstraint('event_id', 'file_id', name=op.f('pk_event_materials'))
    )
    op.create_table('exam_audiences',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('sector_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('ranks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('blueprint_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['blueprint_id'], ['blueprints.id'], name=op.f('fk_exam_audiences_blueprint_id')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exam_audiences_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_exam_audiences_person_id')),
    sa.ForeignKeyConstraint(['sector_unit_id'], ['units.id'], name=op.f('fk_exam_audiences_sector_unit_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_exam_audiences_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exam_audiences'))
    )
    op.create_index(op.f('ix_exam_audiences_exam_id'), 'exam_audiences', ['exam_id'], unique=False)
    op.create_table('exam_extensions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('request_key', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('more_attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('granted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_after_keys', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint('num_nonnulls(opens_at, closes_at) <> 1 AND closes_at > opens_at', name=op.f('ck_exam_extensions_window')),
    sa.CheckConstraint('person_id IS NOT NULL OR (opens_at IS NULL AND more_attempts = 0)', name=op.f('ck_exam_extensions_person')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exam_extensions_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_exam_extensions_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_exam_extensions_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exam_extensions')),
    sa.UniqueConstraint('exam_id', 'request_key', name=op.f('uq_exam_extensions_exam_id_request_key'))
    )
    op.create_index('ix_exam_extensions_unapplied', 'exam_extensions', ['id'], unique=False, postgresql_where=sa.text('applied_at IS NULL'))
    op.create_table('exam_message_runs',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('ran_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('message_count', sa.Integer(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exam_message_runs_exam_id')),
    sa.PrimaryKeyConstraint('exam_id', 'rule', name=op.f('pk_exam_message_runs'))
    )
    op.create_table('exam_reminders',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('reminded_on', sa.Date(), nullable=False),
    sa.Column('group', sa.Text(), nullable=False),
    sa.Column('reminded_by_id', sa.BigInteger(), nullable=True),
    sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exam_reminders_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_exam_reminders_person_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', 'reminded_on', name=op.f('pk_exam_reminders'))
    )
    op.create_index('ix_exam_reminders_person_id', 'exam_reminders', ['person_id', 'exam_id'], unique=False)
    op.create_table('exam_sessions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('closes_at > opens_at', name=op.f('ck_exam_sessions_window')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exam_sessions_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exam_sessions'))
    )
    op.create_index(op.f('ix_exam_sessions_exam_id'), 'exam_sessions', ['exam_id'], unique=False)
    op.create_table('exemptions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('requested_by_id', sa.BigInteger(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('approved_by_id', sa.BigInteger(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rejected_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('file_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("kind IN ('exemption', 'deferral')", name=op.f('ck_exemptions_kind')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exemptions_exam_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_files.id'], name=op.f('fk_exemptions_file_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_exemptions_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exemptions'))
    )
    op.create_index(op.f('ix_exemptions_person_id'), 'exemptions', ['person_id'], unique=False)
    op.create_index('uq_exemptions_live', 'exemptions', ['exam_id', 'person_id'], unique=True, postgresql_where=sa.text('withdrawn_at IS NULL AND rejected_at IS NULL'))
    op.create_table('exports',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('tree', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('data_version', sa.Text(), nullable=False),
    sa.Column('watermark', sa.Text(), nullable=False),
    sa.Column('filters', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('numbers', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('approval_id', sa.BigInteger(), nullable=True),
    sa.Column('template_id', sa.BigInteger(), nullable=True),
    sa.Column('schedule_key', sa.Text(), nullable=True),
    sa.Column('file', sa.LargeBinary(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('as_of', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("numbers IN ('none', 'masked', 'whole')", name=op.f('ck_exports_numbers')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exports_exam_id')),
    sa.ForeignKeyConstraint(['template_id'], ['report_templates.id'], name=op.f('fk_exports_template_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_exports_unit_id')),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_exports_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exports'))
    )
    op.create_index('uq_exports_schedule_key', 'exports', ['schedule_key'], unique=True)
    op.create_table('external_results',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('points_possible', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('percent', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('band', sa.Text(), nullable=False),
    sa.Column('is_passed', sa.Boolean(), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.BigInteger(), nullable=True),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('replaced_by_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("band IN ('excellent', 'good', 'pass', 'fail')", name=op.f('ck_external_results_band')),
    sa.CheckConstraint('points >= 0 AND points <= points_possible AND points_possible > 0', name=op.f('ck_external_results_points')),
    sa.CheckConstraint('replaced_by_id IS NULL OR undone_at IS NOT NULL', name=op.f('ck_external_results_replaced')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_external_results_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_external_results_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_external_results_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_external_results'))
    )
    op.create_index('ix_outside_results_import_id', 'external_results', ['import_id'], unique=False)
    op.create_index('ix_outside_results_replaced_by_id', 'external_results', ['replaced_by_id'], unique=False)
    op.create_index('uq_external_results_in_force', 'external_results', ['exam_id', 'person_id'], unique=True, postgresql_where=sa.text('undone_at IS NULL'))
    op.create_table('law_articles',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('law_version_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['law_version_id'], ['law_versions.id'], name=op.f('fk_law_articles_law_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_law_articles')),
    sa.UniqueConstraint('law_version_id', 'label', name=op.f('uq_law_articles_law_version_id_label'))
    )
    op.create_table('article_gists',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('law_version_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['law_version_id'], ['law_versions.id'], name=op.f('fk_article_gists_law_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_gists')),
    sa.UniqueConstraint('law_version_id', 'label', name=op.f('uq_article_gists_law_version_id_label'))
    )
    op.create_table('makeup_eligibilities',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_makeup_eligibilities_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_makeup_eligibilities_person_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', name=op.f('pk_makeup_eligibilities'))
    )
    op.create_table('planned_moves',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('to_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('recorded_by_id', sa.BigInteger(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_planned_moves_person_id')),
    sa.ForeignKeyConstraint(['to_unit_id'], ['units.id'], name=op.f('fk_planned_moves_to_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_planned_moves'))
    )
    op.create_index('ix_planned_moves_due', 'planned_moves', ['effective_on'], unique=False, postgresql_where='ended_at IS NULL')
    op.create_index('uq_planned_moves_waiting', 'planned_moves', ['person_id'], unique=True, postgresql_where='ended_at IS NULL')
    op.create_table('practice_holds',
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_practice_holds_exam_id')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_practice_holds_question_id')),
    sa.PrimaryKeyConstraint('question_id', 'exam_id', name=op.f('pk_practice_holds'))
    )
    op.create_index(op.f('ix_practice_holds_exam_id'), 'practice_holds', ['exam_id'], unique=False)
    op.create_table('practice_marks',
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('marked_by_id', sa.BigInteger(), nullable=True),
    sa.Column('marked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_practice_marks_question_id')),
    sa.PrimaryKeyConstraint('question_id', name=op.f('pk_practice_marks'))
    )
    op.create_table('question_assignments',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('open', 'submitted', 'returned', 'accepted', 'withdrawn')", name=op.f('ck_question_assignments_state')),
    sa.CheckConstraint('count > 0', name=op.f('ck_question_assignments_count')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_question_assignments_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question_assignments'))
    )
    op.create_index(op.f('ix_question_assignments_state'), 'question_assignments', ['state'], unique=False)
    op.create_index(op.f('ix_question_assignments_unit_id'), 'question_assignments', ['unit_id'], unique=False)
    op.create_table('question_assignment_files',
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('assignment_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['assignment_id'], ['question_assignments.id'], name=op.f('fk_question_assignment_files_assignment_id')),
    sa.ForeignKeyConstraint(['import_id'], ['question_imports.id'], name=op.f('fk_question_assignment_files_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', name=op.f('pk_question_assignment_files'))
    )
    op.create_index(op.f('ix_question_assignment_files_assignment_id'), 'question_assignment_files', ['assignment_id'], unique=False)
    op.create_table('review_tickets',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('reviewer', sa.Text(), nullable=False),
    sa.Column('workplace', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_tickets')),
    sa.UniqueConstraint('digest', name=op.f('uq_review_tickets_digest'))
    )
    op.create_table('review_ticket_questions',
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(verdict IS NULL) = (decided_at IS NULL)', name=op.f('ck_review_ticket_questions_decided')),
    sa.CheckConstraint("verdict IN ('passed', 'doubted')", name=op.f('ck_review_ticket_questions_verdict')),
    sa.ForeignKeyConstraint(['ticket_id'], ['review_tickets.id'], name=op.f('fk_review_ticket_questions_ticket_id')),
    sa.PrimaryKeyConstraint('ticket_id', 'question_id', name=op.f('pk_review_ticket_questions'))
    )
    op.create_index(op.f('ix_review_ticket_questions_question_id'), 'review_ticket_questions', ['question_id'], unique=False)
    op.create_table('paper_checks',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('question_ids', sa.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_paper_checks_exam_id')),
    sa.PrimaryKeyConstraint('exam_id', name=op.f('pk_paper_checks'))
    )
    op.create_table('paper_redraws',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('question_ids', sa.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('replaced', sa.Integer(), nullable=False),
    sa.Column('begun', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('shortage', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('replaced >= 0 AND begun >= 0', name=op.f('ck_paper_redraws_counts')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_paper_redraws_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_redraws'))
    )
    op.create_index(op.f('ix_paper_redraws_exam_id'), 'paper_redraws', ['exam_id'], unique=False)
    op.create_table('prepared_papers',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_prepared_papers_exam_id')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_prepared_papers_paper_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_prepared_papers_person_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', 'number', name=op.f('pk_prepared_papers'))
    )
    op.create_table('question_knowledge_points',
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('knowledge_point_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['knowledge_point_id'], ['knowledge_points.id'], name=op.f('fk_question_knowledge_points_knowledge_point_id')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_question_knowledge_points_question_id')),
    sa.PrimaryKeyConstraint('question_id', 'knowledge_point_id', name=op.f('pk_question_knowledge_points'))
    )
    op.create_table('question_notes',
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('is_favourite', sa.Boolean(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("is_favourite OR note <> ''", name=op.f('ck_question_notes_something')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_question_notes_person_id')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_question_notes_question_id')),
    sa.PrimaryKeyConstraint('person_id', 'question_id', name=op.f('pk_question_notes'))
    )
    op.create_table('question_searches',
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('grams', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_question_searches_question_id')),
    sa.PrimaryKeyConstraint('question_id', name=op.f('pk_question_searches'))
    )
    op.create_index('ix_question_searches_grams', 'question_searches', ['grams'], unique=False, postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.create_table('question_versions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('search_text', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_question_versions_question_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question_versions')),
    sa.UniqueConstraint('question_id', 'number', name=op.f('uq_question_versions_question_id_number'))
    )
    op.create_index(op.f('ix_question_versions_digest'), 'question_versions', ['digest'], unique=False)
    op.create_table('result_imports',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('taken_on', sa.Date(), nullable=False),
    sa.Column('points_possible', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('remarks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('approved_by_id', sa.BigInteger(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('taken_count', sa.Integer(), nullable=False),
    sa.Column('undone_by_id', sa.BigInteger(), nullable=True),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_result_imports_exam_id')),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_result_imports_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_imports'))
    )
    op.create_index(op.f('ix_result_imports_exam_id'), 'result_imports', ['exam_id'], unique=False)
    op.create_table('review_cards',
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('part', sa.SmallInteger(), nullable=False),
    sa.Column('is_right', sa.Boolean(), nullable=False),
    sa.Column('lapses', sa.SmallInteger(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stability', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('difficulty', sa.Numeric(precision=6, scale=4), nullable=True),
    sa.Column('item_id', sa.BigInteger(), nullable=True),
    sa.Column('exam_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(due_at IS NULL) = (stability IS NULL)', name=op.f('ck_review_cards_scheduled')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_review_cards_person_id')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_review_cards_question_id')),
    sa.PrimaryKeyConstraint('person_id', 'question_id', 'part', name=op.f('pk_review_cards'))
    )
    op.create_index('ix_review_cards_person_id_due_at', 'review_cards', ['person_id', 'due_at'], unique=False)
    op.create_table('role_grants',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('tree', sa.Text(), nullable=False),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('granted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deputy_of_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("tree IN ('region', 'sector')", name=op.f('ck_role_grants_tree')),
    sa.ForeignKeyConstraint(['deputy_of_id'], ['role_grants.id'], name=op.f('fk_role_grants_deputy_of_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_role_grants_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_role_grants_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_role_grants'))
    )
    op.create_index(op.f('ix_role_grants_deputy_of_id'), 'role_grants', ['deputy_of_id'], unique=False)
    op.create_index('ix_role_grants_person_id', 'role_grants', ['person_id'], unique=False)
    op.create_table('roster_change_items',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('staff_number', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('rank', sa.Text(), nullable=False),
    sa.Column('position', sa.Text(), nullable=False),
    sa.Column('to_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'applied') = (applied_at IS NOT NULL)", name=op.f('ck_roster_change_items_applied')),
    sa.CheckConstraint("kind IN ('join', 'transfer_in', 'transfer_out', 'secondment', 'retire', 'leave', 'correction')", name=op.f('ck_roster_change_items_kind')),
    sa.CheckConstraint("state IN ('waiting', 'approved', 'applied', 'refused')", name=op.f('ck_roster_change_items_state')),
    sa.ForeignKeyConstraint(['list_id'], ['roster_change_requests.id'], name=op.f('fk_roster_change_items_list_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_roster_change_items_person_id')),
    sa.ForeignKeyConstraint(['to_unit_id'], ['units.id'], name=op.f('fk_roster_change_items_to_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roster_change_items'))
    )
    op.create_index('ix_change_lines_due', 'roster_change_items', ['effective_on'], unique=False, postgresql_where=sa.text("state = 'approved'"))
    op.create_index(op.f('ix_roster_change_items_list_id'), 'roster_change_items', ['list_id'], unique=False)
    op.create_table('roster_corrections',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('old_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('old_excuse', sa.Text(), nullable=True),
    sa.Column('new_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('new_excuse', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('accepted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_roster_corrections_exam_id')),
    sa.ForeignKeyConstraint(['new_unit_id'], ['units.id'], name=op.f('fk_roster_corrections_new_unit_id')),
    sa.ForeignKeyConstraint(['old_unit_id'], ['units.id'], name=op.f('fk_roster_corrections_old_unit_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_roster_corrections_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roster_corrections'))
    )
    op.create_index('ix_roster_corrections_exam_id', 'roster_corrections', ['exam_id'], unique=False)
    op.create_table('roster_moves',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('from_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('to_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.BigInteger(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['from_unit_id'], ['units.id'], name=op.f('fk_roster_moves_from_unit_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_roster_moves_person_id')),
    sa.ForeignKeyConstraint(['to_unit_id'], ['units.id'], name=op.f('fk_roster_moves_to_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roster_moves'))
    )
    op.create_index('ix_roster_moves_person_id_effective_on', 'roster_moves', ['person_id', 'effective_on'], unique=False)
    op.create_table('roster_snapshot_people',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('rank', sa.Text(), nullable=False),
    sa.Column('position', sa.Text(), nullable=False),
    sa.Column('excuse', sa.Text(), nullable=True),
    sa.CheckConstraint("excuse IN ('exemption', 'deferral')", name=op.f('ck_roster_snapshot_people_excuse')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_roster_snapshot_people_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_roster_snapshot_people_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_roster_snapshot_people_unit_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', name=op.f('pk_roster_snapshot_people'))
    )
    op.create_index('ix_roster_snapshot_people_person_id', 'roster_snapshot_people', ['person_id'], unique=False)
    op.create_table('roster_snapshot_units',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('parent_id', sa.BigInteger(), nullable=True),
    sa.Column('sector_parent_id', sa.BigInteger(), nullable=True),
    sa.Column('region_path', sa.Text(), nullable=False),
    sa.Column('sector_path', sa.Text(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_roster_snapshot_units_exam_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_roster_snapshot_units_unit_id')),
    sa.PrimaryKeyConstraint('exam_id', 'unit_id', name=op.f('pk_roster_snapshot_units'))
    )
    op.create_table('exam_pledges',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('pledged_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exam_pledges_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_exam_pledges_person_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', name=op.f('pk_exam_pledges'))
    )
    op.create_table('study_clearances',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_study_clearances_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_study_clearances_person_id')),
    sa.PrimaryKeyConstraint('exam_id', 'person_id', name=op.f('pk_study_clearances'))
    )
    op.create_table('unit_weaknesses',
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('candidate_count', sa.Integer(), nullable=False),
    sa.Column('asked', sa.Integer(), nullable=False),
    sa.Column('right_count', sa.Integer(), nullable=False),
    sa.CheckConstraint('asked >= right_count AND right_count >= 0', name=op.f('ck_unit_weaknesses_right_count')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_unit_weaknesses_exam_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_unit_weaknesses_unit_id')),
    sa.PrimaryKeyConstraint('exam_id', 'unit_id', 'kind', 'name', name=op.f('pk_unit_weaknesses'))
    )
    op.create_table('answer_keys',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('question_version_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('parts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['question_version_id'], ['question_versions.id'], name=op.f('fk_answer_keys_question_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_keys')),
    sa.UniqueConstraint('question_version_id', 'number', name=op.f('uq_answer_keys_question_version_id_number'))
    )
    op.create_index('ix_answer_keys_corrected', 'answer_keys', ['question_version_id'], unique=False, postgresql_where=sa.text('number > 1'))
    op.create_table('answers',
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('item', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('response', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_answers_attempt_id')),
    sa.PrimaryKeyConstraint('attempt_id', 'item', name=op.f('pk_answers'))
    )
    op.create_table('attempt_events',
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('client_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('duration_ms', sa.BigInteger(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_attempt_events_attempt_id')),
    sa.PrimaryKeyConstraint('attempt_id', 'n', name=op.f('pk_attempt_events'))
    )
    op.create_table('attempt_reopenings',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('request_key', sa.Text(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('reopened_by_id', sa.BigInteger(), nullable=True),
    sa.Column('reopened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('is_after_keys', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint('seconds > 0', name=op.f('ck_attempt_reopenings_seconds')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_attempt_reopenings_attempt_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt_reopenings')),
    sa.UniqueConstraint('attempt_id', 'request_key', name=op.f('uq_attempt_reopenings_attempt_id_request_key'))
    )
    op.create_table('evidence_packs',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('approval_id', sa.BigInteger(), nullable=True),
    sa.Column('has_names', sa.Boolean(), nullable=False),
    sa.Column('result_version', sa.Integer(), nullable=False),
    sa.Column('manifest_sha256', sa.Text(), nullable=False),
    sa.Column('file', sa.LargeBinary(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_evidence_packs_exam_id')),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_evidence_packs_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evidence_packs'))
    )
    op.create_index(op.f('ix_evidence_packs_exam_id'), 'evidence_packs', ['exam_id'], unique=False)
    op.create_table('certificate_jobs',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('site_url', sa.Text(), nullable=False),
    sa.Column('file', sa.LargeBinary(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['plan_id'], ['certificate_plans.id'], name=op.f('fk_certificate_jobs_plan_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_certificate_jobs_unit_id')),
    sa.ForeignKeyConstraint(['id'], ['jobs.id'], name=op.f('fk_certificate_jobs_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_jobs'))
    )
    op.create_index(op.f('ix_certificate_jobs_plan_id'), 'certificate_jobs', ['plan_id'], unique=False)
    op.create_table('certificate_plan_courses',
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_certificate_plan_courses_course_id')),
    sa.ForeignKeyConstraint(['plan_id'], ['certificate_plans.id'], name=op.f('fk_certificate_plan_courses_plan_id')),
    sa.PrimaryKeyConstraint('plan_id', 'course_id', name=op.f('pk_certificate_plan_courses'))
    )
    op.create_table('chapter_articles',
    sa.Column('chapter_id', sa.BigInteger(), nullable=False),
    sa.Column('law', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('law_version_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['chapter_id'], ['chapters.id'], name=op.f('fk_chapter_articles_chapter_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['law_version_id'], ['law_versions.id'], name=op.f('fk_chapter_articles_law_version_id')),
    sa.PrimaryKeyConstraint('chapter_id', 'law', 'label', name=op.f('pk_chapter_articles'))
    )
    op.create_table('chapter_files',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('chapter_id', sa.BigInteger(), nullable=False),
    sa.Column('file_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['chapter_id'], ['chapters.id'], name=op.f('fk_chapter_files_chapter_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['file_id'], ['stored_files.id'], name=op.f('fk_chapter_files_file_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chapter_files')),
    sa.UniqueConstraint('chapter_id', 'file_id', name=op.f('uq_chapter_files_chapter_id_file_id'))
    )
    op.create_index(op.f('ix_chapter_files_file_id'), 'chapter_files', ['file_id'], unique=False)
    op.create_table('chapter_progress',
    sa.Column('chapter_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('pages_opened', sa.Integer(), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('passed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['chapter_id'], ['chapters.id'], name=op.f('fk_chapter_progress_chapter_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_chapter_progress_person_id')),
    sa.PrimaryKeyConstraint('chapter_id', 'person_id', name=op.f('pk_chapter_progress'))
    )
    op.create_index(op.f('ix_chapter_progress_person_id'), 'chapter_progress', ['person_id'], unique=False)
    op.create_table('citations',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('question_version_id', sa.BigInteger(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('law_version_id', sa.BigInteger(), nullable=False),
    sa.Column('articles', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['law_version_id'], ['law_versions.id'], name=op.f('fk_citations_law_version_id')),
    sa.ForeignKeyConstraint(['question_version_id'], ['question_versions.id'], name=op.f('fk_citations_question_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_citations'))
    )
    op.create_index('ix_citations_articles', 'citations', ['articles'], unique=False, postgresql_using='gin')
    op.create_index('ix_citations_law_version_id', 'citations', ['law_version_id'], unique=False)
    op.create_index('ix_citations_question_version_id', 'citations', ['question_version_id'], unique=False)
    op.create_table('duty_assessment_items',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('assessment_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('section', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('standard', sa.Text(), nullable=False),
    sa.Column('indicator', sa.Text(), nullable=False),
    sa.Column('full_from', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.CheckConstraint('full_from > 0 AND full_from <= 100', name=op.f('ck_duty_assessment_items_full_from')),
    sa.CheckConstraint('points > 0', name=op.f('ck_duty_assessment_items_points')),
    sa.ForeignKeyConstraint(['assessment_id'], ['duty_assessments.id'], name=op.f('fk_duty_assessment_items_assessment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_assessment_items'))
    )
    op.create_index(op.f('ix_duty_assessment_items_assessment_id'), 'duty_assessment_items', ['assessment_id'], unique=False)
    op.create_table('duty_assessment_reviewers',
    sa.Column('assessment_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['assessment_id'], ['duty_assessments.id'], name=op.f('fk_duty_assessment_reviewers_assessment_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_duty_assessment_reviewers_person_id')),
    sa.PrimaryKeyConstraint('assessment_id', 'person_id', name=op.f('pk_duty_assessment_reviewers'))
    )
    op.create_index(op.f('ix_duty_assessment_reviewers_person_id'), 'duty_assessment_reviewers', ['person_id'], unique=False)
    op.create_table('duty_assessment_sheets',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('assessment_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('submitted_by_id', sa.BigInteger(), nullable=True),
    sa.Column('fed_back_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('total', sa.Numeric(precision=7, scale=2), nullable=True),
    sa.Column('band', sa.Text(), nullable=False),
    sa.Column('appeal', sa.Text(), nullable=False),
    sa.Column('appealed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('appeal_answer', sa.Text(), nullable=False),
    sa.Column('appeal_answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('self', 'submitted') OR total IS NOT NULL", name=op.f('ck_duty_assessment_sheets_total')),
    sa.CheckConstraint("state IN ('self', 'submitted', 'fed_back', 'appealed', 'sealed')", name=op.f('ck_duty_assessment_sheets_state')),
    sa.ForeignKeyConstraint(['assessment_id'], ['duty_assessments.id'], name=op.f('fk_duty_assessment_sheets_assessment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_duty_assessment_sheets_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_assessment_sheets')),
    sa.UniqueConstraint('assessment_id', 'unit_id', name=op.f('uq_duty_assessment_sheets_assessment_id_unit_id'))
    )
    op.create_index(op.f('ix_duty_assessment_sheets_unit_id'), 'duty_assessment_sheets', ['unit_id'], unique=False)
    op.create_table('duty_records',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('done_on', sa.Date(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('reached', sa.Integer(), nullable=False),
    sa.Column('law', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('event_id', sa.BigInteger(), nullable=True),
    sa.Column('recorded_by_id', sa.BigInteger(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('reached >= 0', name=op.f('ck_duty_records_reached')),
    sa.ForeignKeyConstraint(['event_id'], ['study_events.id'], name=op.f('fk_duty_records_event_id')),
    sa.ForeignKeyConstraint(['item_id'], ['duty_items.id'], name=op.f('fk_duty_records_item_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_records'))
    )
    op.create_index(op.f('ix_duty_records_item_id'), 'duty_records', ['item_id'], unique=False)
    op.create_index('uq_duty_records_event_id', 'duty_records', ['event_id'], unique=True, postgresql_where='withdrawn_at IS NULL')
    op.create_table('duty_reminders',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('for_day', sa.Date(), nullable=False),
    sa.Column('requested_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("stage IN ('soon', 'overdue', 'asked')", name=op.f('ck_duty_reminders_stage')),
    sa.ForeignKeyConstraint(['item_id'], ['duty_items.id'], name=op.f('fk_duty_reminders_item_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_duty_reminders_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_reminders')),
    sa.UniqueConstraint('item_id', 'person_id', 'stage', 'for_day', name=op.f('uq_duty_reminders_item_id_person_id_stage_for_day'))
    )
    op.create_index(op.f('ix_duty_reminders_person_id'), 'duty_reminders', ['person_id'], unique=False)
    op.create_table('duty_vote_tallies',
    sa.Column('assessment_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('opinion', sa.Text(), nullable=False),
    sa.Column('votes', sa.Integer(), nullable=False),
    sa.CheckConstraint("opinion IN ('good', 'fair', 'bad')", name=op.f('ck_duty_vote_tallies_opinion')),
    sa.CheckConstraint('votes >= 0', name=op.f('ck_duty_vote_tallies_votes')),
    sa.ForeignKeyConstraint(['assessment_id'], ['duty_assessments.id'], name=op.f('fk_duty_vote_tallies_assessment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_duty_vote_tallies_unit_id')),
    sa.PrimaryKeyConstraint('assessment_id', 'unit_id', 'opinion', name=op.f('pk_duty_vote_tallies'))
    )
    op.create_table('duty_votes_taken',
    sa.Column('assessment_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['assessment_id'], ['duty_assessments.id'], name=op.f('fk_duty_votes_taken_assessment_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_duty_votes_taken_person_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_duty_votes_taken_unit_id')),
    sa.PrimaryKeyConstraint('assessment_id', 'unit_id', 'person_id', name=op.f('pk_duty_votes_taken'))
    )
    op.create_table('exercise_runs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('chapter_id', sa.BigInteger(), nullable=True),
    sa.Column('exam_id', sa.BigInteger(), nullable=True),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('pass_count', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_on', sa.Date(), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('right_count', sa.Integer(), nullable=True),
    sa.Column('is_passed', sa.Boolean(), nullable=True),
    sa.CheckConstraint('(chapter_id IS NULL) <> (exam_id IS NULL)', name=op.f('ck_exercise_runs_of_one')),
    sa.ForeignKeyConstraint(['chapter_id'], ['chapters.id'], name=op.f('fk_exercise_runs_chapter_id')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_exercise_runs_exam_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_exercise_runs_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exercise_runs')),
    sa.UniqueConstraint('person_id', 'chapter_id', 'number', name=op.f('uq_exercise_runs_person_id_chapter_id_number'))
    )
    op.create_index(op.f('ix_exercise_runs_chapter_id'), 'exercise_runs', ['chapter_id'], unique=False)
    op.create_index('uq_exercise_runs_open', 'exercise_runs', ['person_id', 'chapter_id'], unique=True, postgresql_where=sa.text('finished_at IS NULL'))
    op.create_index('uq_exercise_runs_open_mock', 'exercise_runs', ['person_id', 'exam_id'], unique=True, postgresql_where=sa.text('finished_at IS NULL AND exam_id IS NOT NULL'))
    op.create_table('former_passwords',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_former_passwords_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_former_passwords'))
    )
    op.create_index('ix_former_passwords_account_id', 'former_passwords', ['account_id'], unique=False)
    op.create_table('corrections',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('change', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('exam_ids', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('kept_exam_ids', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('public_reason', sa.Text(), nullable=False),
    sa.Column('is_published', sa.Boolean(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('attempt_ids', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('asked_by_id', sa.BigInteger(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked_by_id', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('approved_by_id', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('notified_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('item', 'rules', 'annulment')", name=op.f('ck_corrections_kind')),
    sa.CheckConstraint("state IN ('asked', 'checked', 'applied', 'rejected')", name=op.f('ck_corrections_state')),
    sa.CheckConstraint('asked_by_id <> checked_by_id AND asked_by_id <> approved_by_id AND checked_by_id <> approved_by_id', name=op.f('ck_corrections_persons')),
    sa.CheckConstraint("state <> 'applied' OR (approved_by_id IS NOT NULL AND (checked_by_id IS NOT NULL OR NOT is_published))", name=op.f('ck_corrections_applied')),
    sa.CheckConstraint("cardinality(exam_ids) > 0 OR kind = 'item'", name=op.f('ck_corrections_exams')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_corrections'))
    )
    op.create_table('grades',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('is_current', sa.Boolean(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('points_possible', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('percent', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('band', sa.Text(), nullable=False),
    sa.Column('is_passed', sa.Boolean(), nullable=False),
    sa.Column('item_points', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('key_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('ruling_ids', postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('mark_ids', postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('sheet', sa.LargeBinary(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('graded_by_id', sa.BigInteger(), nullable=True),
    sa.Column('graded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('correction_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("band IN ('excellent', 'good', 'pass', 'fail')", name=op.f('ck_grades_band')),
    sa.CheckConstraint('points >= 0 AND points <= points_possible', name=op.f('ck_grades_points')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_grades_attempt_id')),
    sa.ForeignKeyConstraint(['correction_id'], ['corrections.id'], name=op.f('fk_grades_correction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_grades')),
    sa.UniqueConstraint('attempt_id', 'number', name=op.f('uq_grades_attempt_id_number'))
    )
    op.create_index('ix_grades_correction_id', 'grades', ['correction_id'], unique=False, postgresql_where=sa.text('correction_id IS NOT NULL'))
    op.create_index('ix_grades_graded_again', 'grades', ['attempt_id'], unique=False, postgresql_where=sa.text('is_current AND number > 1'))
    op.create_index('uq_grades_current', 'grades', ['attempt_id'], unique=True, postgresql_where=sa.text('is_current'), postgresql_include=['points', 'points_possible', 'percent', 'band', 'is_passed'])
    op.create_table('item_rulings',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('question_version_id', sa.BigInteger(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('treatment', sa.Text(), nullable=False),
    sa.Column('key_ids', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('correction_id', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("treatment IN ('key', 'best_of', 'full', 'void')", name=op.f('ck_item_rulings_treatment')),
    sa.CheckConstraint("(treatment IN ('key', 'best_of')) = (cardinality(key_ids) > 0)", name=op.f('ck_item_rulings_keys')),
    sa.ForeignKeyConstraint(['correction_id'], ['corrections.id'], name=op.f('fk_item_rulings_correction_id')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_item_rulings_exam_id')),
    sa.ForeignKeyConstraint(['question_version_id'], ['question_versions.id'], name=op.f('fk_item_rulings_question_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item_rulings'))
    )
    op.create_index('ix_item_rulings_exam_id', 'item_rulings', ['exam_id', 'question_version_id', 'part'], unique=False)
    op.create_table('item_marks',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('item', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('is_current', sa.Boolean(), nullable=False),
    sa.CheckConstraint("source IN ('marking', 'review', 'blank')", name=op.f('ck_item_marks_source')),
    sa.CheckConstraint('points >= 0', name=op.f('ck_item_marks_points')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_item_marks_attempt_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item_marks')),
    sa.UniqueConstraint('attempt_id', 'item', 'number', name=op.f('uq_item_marks_attempt_id_item_number'))
    )
    op.create_index('uq_item_marks_current', 'item_marks', ['attempt_id', 'item'], unique=True, postgresql_where=sa.text('is_current'))
    op.create_table('login_tokens',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('code_index', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by_id', sa.BigInteger(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_reset_code', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_login_tokens_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_tokens'))
    )
    op.create_index('ix_sign_in_tickets_account_id', 'login_tokens', ['account_id'], unique=False)
    op.create_index('uq_sign_in_tickets_code_index', 'login_tokens', ['code_index'], unique=True)
    op.create_table('quarantined_saves',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('changes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('judged_by_id', sa.BigInteger(), nullable=True),
    sa.Column('is_accepted', sa.Boolean(), nullable=True),
    sa.Column('judged_reason', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_quarantined_saves_attempt_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quarantined_saves')),
    sa.UniqueConstraint('attempt_id', 'digest', name=op.f('uq_quarantined_saves_attempt_id_digest'))
    )
    op.create_table('question_flags',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('question_version_id', sa.BigInteger(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('old_version_id', sa.BigInteger(), nullable=False),
    sa.Column('new_version_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('articles', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decision', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(decided_at IS NULL) = (decision IS NULL)', name=op.f('ck_question_flags_decided')),
    sa.ForeignKeyConstraint(['new_version_id'], ['law_versions.id'], name=op.f('fk_question_flags_new_version_id')),
    sa.ForeignKeyConstraint(['old_version_id'], ['law_versions.id'], name=op.f('fk_question_flags_old_version_id')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_question_flags_question_id')),
    sa.ForeignKeyConstraint(['question_version_id'], ['question_versions.id'], name=op.f('fk_question_flags_question_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question_flags'))
    )
    op.create_index('ix_question_flags_question_id', 'question_flags', ['question_id'], unique=False)
    op.create_index('uq_question_flags_open', 'question_flags', ['question_version_id', 'part', 'old_version_id'], unique=True, postgresql_where=sa.text('decided_at IS NULL'))
    op.create_table('question_uses',
    sa.Column('question_version_id', sa.BigInteger(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('exam_title', sa.Text(), nullable=False),
    sa.Column('asked', sa.Integer(), nullable=False),
    sa.Column('right_count', sa.Integer(), nullable=False),
    sa.Column('share', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('asked >= right_count AND right_count >= 0', name=op.f('ck_question_uses_right_count')),
    sa.ForeignKeyConstraint(['question_version_id'], ['question_versions.id'], name=op.f('fk_question_uses_question_version_id')),
    sa.PrimaryKeyConstraint('question_version_id', 'part', 'exam_id', name=op.f('pk_question_uses'))
    )
    op.create_table('recovery_codes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('code_index', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_recovery_codes_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_codes'))
    )
    op.create_index('uq_recovery_codes_account_id_code_index', 'recovery_codes', ['account_id', 'code_index'], unique=True)
    op.create_table('result_import_rows',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('unit_name', sa.Text(), nullable=False),
    sa.Column('staff_number', sa.Text(), nullable=False),
    sa.Column('id_tail', sa.Text(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('candidates', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('is_decided', sa.Boolean(), nullable=False),
    sa.CheckConstraint("outcome <> 'matched' OR (person_id IS NOT NULL AND points IS NOT NULL)", name=op.f('ck_result_import_rows_matched')),
    sa.CheckConstraint("outcome IN ('matched', 'same', 'doubtful', 'unmatched', 'absent', 'faulty', 'skipped')", name=op.f('ck_result_import_rows_outcome')),
    sa.ForeignKeyConstraint(['import_id'], ['result_imports.id'], name=op.f('fk_result_import_rows_import_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_result_import_rows_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_import_rows'))
    )
    op.create_index('ix_result_import_rows_import_id', 'result_import_rows', ['import_id', 'outcome'], unique=False)
    op.create_table('second_factors',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('secret_encrypted', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_step', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.SmallInteger(), nullable=False),
    sa.Column('first_failure_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_second_factors_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_second_factors'))
    )
    op.create_table('certificates',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_name', sa.Text(), nullable=False),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('result', sa.Text(), nullable=False),
    sa.Column('signer', sa.Text(), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('salt', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('grade_id', sa.BigInteger(), nullable=True),
    sa.Column('replaces_id', sa.BigInteger(), nullable=True),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('issued_by_id', sa.BigInteger(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_why', sa.Text(), nullable=False),
    sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why = '')", name=op.f('ck_certificates_withdrawn')),
    sa.ForeignKeyConstraint(['grade_id'], ['grades.id'], name=op.f('fk_certificates_grade_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_certificates_person_id')),
    sa.ForeignKeyConstraint(['plan_id'], ['certificate_plans.id'], name=op.f('fk_certificates_plan_id')),
    sa.ForeignKeyConstraint(['replaces_id'], ['certificates.id'], name=op.f('fk_certificates_replaces_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_certificates_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificates')),
    sa.UniqueConstraint('number', name=op.f('uq_certificates_number'))
    )
    op.create_index(op.f('ix_certificates_grade_id'), 'certificates', ['grade_id'], unique=False)
    op.create_index('ix_certificates_person_id', 'certificates', ['person_id'], unique=False)
    op.create_index(op.f('ix_certificates_unit_id'), 'certificates', ['unit_id'], unique=False)
    op.create_index('uq_certificates_live', 'certificates', ['plan_id', 'person_id'], unique=True, postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.create_table('duty_assessment_reviews',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('reviewer_id', sa.BigInteger(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['duty_assessment_items.id'], name=op.f('fk_duty_assessment_reviews_item_id')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['persons.id'], name=op.f('fk_duty_assessment_reviews_reviewer_id')),
    sa.ForeignKeyConstraint(['sheet_id'], ['duty_assessment_sheets.id'], name=op.f('fk_duty_assessment_reviews_sheet_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'item_id', 'reviewer_id', name=op.f('pk_duty_assessment_reviews'))
    )
    op.create_table('duty_assessment_revisions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('lines', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('total', sa.Numeric(precision=7, scale=2), nullable=False),
    sa.Column('band', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['sheet_id'], ['duty_assessment_sheets.id'], name=op.f('fk_duty_assessment_revisions_sheet_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_assessment_revisions')),
    sa.UniqueConstraint('sheet_id', 'number', name=op.f('uq_duty_assessment_revisions_sheet_id_number'))
    )
    op.create_table('duty_assessment_opinions',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('bureau_id', sa.BigInteger(), nullable=False),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('given_by_id', sa.BigInteger(), nullable=True),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['bureau_id'], ['units.id'], name=op.f('fk_duty_assessment_opinions_bureau_id')),
    sa.ForeignKeyConstraint(['sheet_id'], ['duty_assessment_sheets.id'], name=op.f('fk_duty_assessment_opinions_sheet_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'bureau_id', name=op.f('pk_duty_assessment_opinions'))
    )
    op.create_table('duty_assessment_scores',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('self_points', sa.Numeric(precision=7, scale=2), nullable=True),
    sa.Column('self_reason', sa.Text(), nullable=False),
    sa.Column('rate', sa.Numeric(precision=7, scale=2), nullable=True),
    sa.Column('points', sa.Numeric(precision=7, scale=2), nullable=True),
    sa.ForeignKeyConstraint(['item_id'], ['duty_assessment_items.id'], name=op.f('fk_duty_assessment_scores_item_id')),
    sa.ForeignKeyConstraint(['sheet_id'], ['duty_assessment_sheets.id'], name=op.f('fk_duty_assessment_scores_sheet_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'item_id', name=op.f('pk_duty_assessment_scores'))
    )
    op.create_table('duty_record_files',
    sa.Column('file_id', sa.BigInteger(), nullable=False),
    sa.Column('record_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['stored_files.id'], name=op.f('fk_duty_record_files_file_id')),
    sa.ForeignKeyConstraint(['record_id'], ['duty_records.id'], name=op.f('fk_duty_record_files_record_id')),
    sa.PrimaryKeyConstraint('file_id', name=op.f('pk_duty_record_files'))
    )
    op.create_index(op.f('ix_duty_record_files_record_id'), 'duty_record_files', ['record_id'], unique=False)
    op.create_table('harvested_attempts',
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('harvested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('grade_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_harvested_attempts_attempt_id')),
    sa.ForeignKeyConstraint(['exam_id'], ['exams.id'], name=op.f('fk_harvested_attempts_exam_id')),
    sa.ForeignKeyConstraint(['grade_id'], ['grades.id'], name=op.f('fk_harvested_attempts_grade_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_harvested_attempts_person_id')),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_harvested_attempts'))
    )
    op.create_index(op.f('ix_harvested_attempts_person_id'), 'harvested_attempts', ['person_id'], unique=False)
    op.create_table('practice_items',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('question_id', sa.BigInteger(), nullable=False),
    sa.Column('question_version_id', sa.BigInteger(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('order', sa.Text(), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=True),
    sa.Column('wanted', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('response', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_right', sa.Boolean(), nullable=True),
    sa.Column('is_unsure', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('key_number', sa.SmallInteger(), server_default='1', nullable=False),
    sa.CheckConstraint('(answered_at IS NULL) = (is_right IS NULL)', name=op.f('ck_practice_items_answered')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_practice_items_person_id')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_practice_items_question_id')),
    sa.ForeignKeyConstraint(['question_version_id'], ['question_versions.id'], name=op.f('fk_practice_items_question_version_id')),
    sa.ForeignKeyConstraint(['run_id'], ['exercise_runs.id'], name=op.f('fk_practice_items_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practice_items'))
    )
    op.create_index('ix_practice_items_answered', 'practice_items', ['person_id', 'answered_at'], unique=False, postgresql_where=sa.text('answered_at IS NOT NULL'))
    op.create_index('ix_practice_items_person_id_question_id', 'practice_items', ['person_id', 'question_id'], unique=False)
    op.create_index('ix_practice_items_question_version_id', 'practice_items', ['question_version_id'], unique=False)
    op.create_index('ix_practice_items_run_id', 'practice_items', ['run_id'], unique=False, postgresql_where=sa.text('run_id IS NOT NULL'))
    op.create_table('sign_ins',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('token_digest', sa.LargeBinary(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('device', sa.Text(), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=True),
    sa.Column('awaits_code', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_sign_ins_account_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['login_tokens.id'], name=op.f('fk_sign_ins_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins'))
    )
    op.create_index('ix_sign_ins_account_id', 'sign_ins', ['account_id'], unique=False, postgresql_where='ended_at IS NULL')
    op.create_index('uq_sign_ins_token_digest', 'sign_ins', ['token_digest'], unique=True)


def _drop_tables():
    op.drop_index('uq_sign_ins_token_digest', table_name='sign_ins')
    op.drop_index('ix_sign_ins_account_id', table_name='sign_ins', postgresql_where='ended_at IS NULL')
    op.drop_table('sign_ins')
    op.drop_index('ix_practice_items_run_id', table_name='practice_items', postgresql_where=sa.text('run_id IS NOT NULL'))
    op.drop_index('ix_practice_items_question_version_id', table_name='practice_items')
    op.drop_index('ix_practice_items_person_id_question_id', table_name='practice_items')
    op.drop_index('ix_practice_items_answered', table_name='practice_items', postgresql_where=sa.text('answered_at IS NOT NULL'))
    op.drop_table('practice_items')
    op.drop_index(op.f('ix_harvested_attempts_person_id'), table_name='harvested_attempts')
    op.drop_table('harvested_attempts')
    op.drop_index(op.f('ix_duty_record_files_record_id'), table_name='duty_record_files')
    op.drop_table('duty_record_files')
    op.drop_table('duty_assessment_opinions')
    op.drop_table('duty_assessment_scores')
    op.drop_table('duty_assessment_revisions')
    op.drop_table('duty_assessment_reviews')
    op.drop_index('uq_certificates_live', table_name='certificates', postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.drop_index(op.f('ix_certificates_unit_id'), table_name='certificates')
    op.drop_index('ix_certificates_person_id', table_name='certificates')
    op.drop_index(op.f('ix_certificates_grade_id'), table_name='certificates')
    op.drop_table('certificates')
    op.drop_table('second_factors')
    op.drop_index('ix_result_import_rows_import_id', table_name='result_import_rows')
    op.drop_table('result_import_rows')
    op.drop_index('uq_recovery_codes_account_id_code_index', table_name='recovery_codes')
    op.drop_table('recovery_codes')
    op.drop_table('question_uses')
    op.drop_index('uq_question_flags_open', table_name='question_flags', postgresql_where=sa.text('decided_at IS NULL'))
    op.drop_index('ix_question_flags_question_id', table_name='question_flags')
    op.drop_table('question_flags')
    op.drop_table('quarantined_saves')
    op.drop_index('uq_sign_in_tickets_code_index', table_name='login_tokens')
    op.drop_index('ix_sign_in_tickets_account_id', table_name='login_tokens')
    op.drop_table('login_tokens')
    op.drop_index('uq_item_marks_current', table_name='item_marks', postgresql_where=sa.text('is_current'))
    op.drop_table('item_marks')
    op.drop_index('ix_item_rulings_exam_id', table_name='item_rulings')
    op.drop_table('item_rulings')
    op.drop_index('uq_grades_current', table_name='grades', postgresql_where=sa.text('is_current'), postgresql_include=['points', 'points_possible', 'percent', 'band', 'is_passed'])
    op.drop_index('ix_grades_graded_again', table_name='grades', postgresql_where=sa.text('is_current AND number > 1'))
    op.drop_index('ix_grades_correction_id', table_name='grades', postgresql_where=sa.text('correction_id IS NOT NULL'))
    op.drop_table('grades')
    op.drop_table('corrections')
    op.drop_index('ix_former_passwords_account_id', table_name='former_passwords')
    op.drop_table('former_passwords')
    op.drop_index('uq_exercise_runs_open_mock', table_name='exercise_runs', postgresql_where=sa.text('finished_at IS NULL AND exam_id IS NOT NULL'))
    op.drop_index('uq_exercise_runs_open', table_name='exercise_runs', postgresql_where=sa.text('finished_at IS NULL'))
    op.drop_index(op.f('ix_exercise_runs_chapter_id'), table_name='exercise_runs')
    op.drop_table('exercise_runs')
    op.drop_table('duty_votes_taken')
    op.drop_table('duty_vote_tallies')
    op.drop_index(op.f('ix_duty_reminders_person_id'), table_name='duty_reminders')
    op.drop_table('duty_reminders')
    op.drop_index('uq_duty_records_event_id', table_name='duty_records', postgresql_where='withdrawn_at IS NULL')
    op.drop_index(op.f('ix_duty_records_item_id'), table_name='duty_records')
    op.drop_table('duty_records')
    op.drop_index(op.f('ix_duty_assessment_sheets_unit_id'), table_name='duty_assessment_sheets')
    op.drop_table('duty_assessment_sheets')
    op.drop_index(op.f('ix_duty_assessment_reviewers_person_id'), table_name='duty_assessment_reviewers')
    op.drop_table('duty_assessment_reviewers')
    op.drop_index(op.f('ix_duty_assessment_items_assessment_id'), table_name='duty_assessment_items')
    op.drop_table('duty_assessment_items')
    op.drop_index('ix_citations_question_version_id', table_name='citations')
    op.drop_index('ix_citations_law_version_id', table_name='citations')
    op.drop_index('ix_citations_articles', table_name='citations', postgresql_using='gin')
    op.drop_table('citations')
    op.drop_index(op.f('ix_chapter_progress_person_id'), table_name='chapter_progress')
    op.drop_table('chapter_progress')
    op.drop_index(op.f('ix_chapter_files_file_id'), table_name='chapter_files')
    op.drop_table('chapter_files')
    op.drop_table('chapter_articles')
    op.drop_table('certificate_plan_courses')
    op.drop_index(op.f('ix_certificate_jobs_plan_id'), table_name='certificate_jobs')
    op.drop_table('certificate_jobs')
    op.drop_index(op.f('ix_evidence_packs_exam_id'), table_name='evidence_packs')
    op.drop_table('evidence_packs')
    op.drop_table('attempt_reopenings')
    op.drop_table('attempt_events')
    op.drop_table('answers')
    op.drop_index('ix_answer_keys_corrected', table_name='answer_keys', postgresql_where=sa.text('number > 1'))
    op.drop_table('answer_keys')
    op.drop_table('unit_weaknesses')
    op.drop_table('study_clearances')
    op.drop_table('exam_pledges')
    op.drop_table('roster_snapshot_units')
    op.drop_index('ix_roster_snapshot_people_person_id', table_name='roster_snapshot_people')
    op.drop_table('roster_snapshot_people')
    op.drop_index('ix_roster_moves_person_id_effective_on', table_name='roster_moves')
    op.drop_table('roster_moves')
    op.drop_index('ix_roster_corrections_exam_id', table_name='roster_corrections')
    op.drop_table('roster_corrections')
    op.drop_index(op.f('ix_roster_change_items_list_id'), table_name='roster_change_items')
    op.drop_index('ix_change_lines_due', table_name='roster_change_items', postgresql_where=sa.text("state = 'approved'"))
    op.drop_table('roster_change_items')
    op.drop_index('ix_role_grants_person_id', table_name='role_grants')
    op.drop_index(op.f('ix_role_grants_deputy_of_id'), table_name='role_grants')
    op.drop_table('role_grants')
    op.drop_index('ix_review_cards_person_id_due_at', table_name='review_cards')
    op.drop_table('review_cards')
    op.drop_index(op.f('ix_result_imports_exam_id'), table_name='result_imports')
    op.drop_table('result_imports')
    op.drop_index(op.f('ix_question_versions_digest'), table_name='question_versions')
    op.drop_table('question_versions')
    op.drop_index('ix_question_searches_grams', table_name='question_searches', postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.drop_table('question_searches')
    op.drop_table('question_notes')
    op.drop_table('question_knowledge_points')
    op.drop_table('prepared_papers')
    op.drop_index(op.f('ix_paper_redraws_exam_id'), table_name='paper_redraws')
    op.drop_table('paper_redraws')
    op.drop_table('paper_checks')
    op.drop_index(op.f('ix_review_ticket_questions_question_id'), table_name='review_ticket_questions')
    op.drop_table('review_ticket_questions')
    op.drop_table('review_tickets')
    op.drop_index(op.f('ix_question_assignment_files_assignment_id'), table_name='question_assignment_files')
    op.drop_table('question_assignment_files')
    op.drop_index(op.f('ix_question_assignments_unit_id'), table_name='question_assignments')
    op.drop_index(op.f('ix_question_assignments_state'), table_name='question_assignments')
    op.drop_table('question_assignments')
    op.drop_table('practice_marks')
    op.drop_index(op.f('ix_practice_holds_exam_id'), table_name='practice_holds')
    op.drop_table('practice_holds')
    op.drop_index('uq_planned_moves_waiting', table_name='planned_moves', postgresql_where='ended_at IS NULL')
    op.drop_index('ix_planned_moves_due', table_name='planned_moves', postgresql_where='ended_at IS NULL')
    op.drop_table('planned_moves')
    op.drop_table('makeup_eligibilities')
    op.drop_table('article_gists')
    op.drop_table('law_articles')
    op.drop_index('uq_external_results_in_force', table_name='external_results', postgresql_where=sa.text('undone_at IS NULL'))
    op.drop_index('ix_outside_results_replaced_by_id', table_name='external_results')
    op.drop_index('ix_outside_results_import_id', table_name='external_results')
    op.drop_table('external_results')
    op.drop_index('uq_exports_schedule_key', table_name='exports')
    op.drop_table('exports')
    op.drop_index('uq_exemptions_live', table_name='exemptions', postgresql_where=sa.text('withdrawn_at IS NULL AND rejected_at IS NULL'))
    op.drop_index(op.f('ix_exemptions_person_id'), table_name='exemptions')
    op.drop_table('exemptions')
    op.drop_index(op.f('ix_exam_sessions_exam_id'), table_name='exam_sessions')
    op.drop_table('exam_sessions')
    op.drop_index('ix_exam_reminders_person_id', table_name='exam_reminders')
    op.drop_table('exam_reminders')
    op.drop_table('exam_message_runs')
    op.drop_index('ix_exam_extensions_unapplied', table_name='exam_extensions', postgresql_where=sa.text('applied_at IS NULL'))
    op.drop_table('exam_extensions')
    op.drop_index(op.f('ix_exam_audiences_exam_id'), table_name='exam_audiences')
    op.drop_table('exam_audiences')
    op.drop_table('event_materials')
    op.drop_table('event_code_attempts')
    op.drop_index(op.f('ix_event_attendances_person_id'), table_name='event_attendances')
    op.drop_table('event_attendances')
    op.drop_index(op.f('ix_duty_items_source_id'), table_name='duty_items')
    op.drop_index(op.f('ix_duty_items_list_id'), table_name='duty_items')
    op.drop_index('ix_duty_items_due_on', table_name='duty_items', postgresql_where='withdrawn_at IS NULL')
    op.drop_table('duty_items')
    op.drop_table('duty_reports')
    op.drop_table('duty_plan_evaluations')
    op.drop_table('duty_assessments')
    op.drop_table('due_counts')
    op.drop_table('distinct_pairs')
    op.drop_table('daily_questions')
    op.drop_index(op.f('ix_course_people_person_id'), table_name='course_people')
    op.drop_table('course_people')
    op.drop_table('course_editions')
    op.drop_index(op.f('ix_course_completions_person_id'), table_name='course_completions')
    op.drop_table('course_completions')
    op.drop_index(op.f('ix_chapters_course_id'), table_name='chapters')
    op.drop_table('chapters')
    op.drop_table('certificate_plans')
    op.drop_index('uq_attempts_live', table_name='attempts', postgresql_where=sa.text("state = 'in_progress'"))
    op.drop_index('ix_attempts_ungraded', table_name='attempts', postgresql_where=sa.text("state = 'submitted'"))
    op.drop_index('ix_attempts_person_id', table_name='attempts')
    op.drop_index('ix_attempts_overdue', table_name='attempts', postgresql_where=sa.text("state = 'in_progress'"))
    op.drop_table('attempts')
    op.drop_index('ix_admissions_waiting', table_name='admissions', postgresql_where=sa.text('admitted_at IS NULL'))
    op.drop_table('admissions')
    op.drop_table('accounts')
    op.drop_table('unit_mastery')
    op.drop_index('ix_unit_changes_unit_id', table_name='unit_changes')
    op.drop_table('unit_changes')
    op.drop_table('explained_cases')
    op.drop_table('campaign_units')
    op.drop_table('campaigns')
    op.drop_index('ix_study_events_unit_id_starts_at', table_name='study_events')
    op.drop_table('study_events')
    op.drop_table('roster_imports')
    op.drop_index(op.f('ix_roster_change_requests_unit_id'), table_name='roster_change_requests')
    op.drop_table('roster_change_requests')
    op.drop_index('ix_questions_updated_at', table_name='questions')
    op.drop_index(op.f('ix_questions_topic'), table_name='questions')
    op.drop_index('ix_questions_state_kind', table_name='questions')
    op.drop_index(op.f('ix_questions_law_name'), table_name='questions')
    op.drop_index('ix_questions_law_change', table_name='questions', postgresql_where=sa.text("law_change <> ''"))
    op.drop_index(op.f('ix_questions_import_id'), table_name='questions')
    op.drop_index(op.f('ix_questions_created_by_id'), table_name='questions')
    op.drop_table('questions')
    op.drop_index('uq_persons_id_number_index', table_name='persons')
    op.drop_index('ix_persons_unit_id_state', table_name='persons')
    op.drop_index('ix_persons_mobile_index', table_name='persons')
    op.drop_table('persons')
    op.drop_index(op.f('ix_papers_blueprint_id'), table_name='papers')
    op.drop_table('papers')
    op.drop_table('notice_readings')
    op.drop_table('law_versions')
    op.drop_index(op.f('ix_exams_main_exam_id'), table_name='exams')
    op.drop_table('exams')
    op.drop_index(op.f('ix_duty_lists_year'), table_name='duty_lists')
    op.drop_table('duty_lists')
    op.drop_index(op.f('ix_courses_unit_id'), table_name='courses')
    op.drop_table('courses')
    op.drop_index(op.f('ix_blueprint_sections_blueprint_id'), table_name='blueprint_sections')
    op.drop_table('blueprint_sections')
    op.drop_table('worker_heartbeats')
    op.drop_index('ix_used_captchas_address', table_name='used_captchas', postgresql_where='is_waited')
    op.drop_table('used_captchas')
    op.drop_table('unknown_login_names')
    op.drop_index('ix_units_successor_id', table_name='units', postgresql_where='successor_id IS NOT NULL')
    op.drop_index('ix_units_sector_path', table_name='units', postgresql_ops={'sector_path': 'text_pattern_ops'})
    op.drop_index(op.f('ix_units_sector_parent_id'), table_name='units')
    op.drop_index('ix_units_region_path', table_name='units', postgresql_ops={'region_path': 'text_pattern_ops'})
    op.drop_index(op.f('ix_units_parent_id'), table_name='units')
    op.drop_table('units')
    op.drop_index('ix_kept_figures_exam_id', table_name='unit_stats_cache')
    op.drop_table('unit_stats_cache')
    op.drop_table('stored_files')
    op.drop_table('stats_invalidations')
    op.drop_table('retention_runs')
    op.drop_index('ix_reset_requests_unsent', table_name='reset_requests', postgresql_where='handled_at IS NULL')
    op.drop_index('ix_reset_requests_address_asked_at', table_name='reset_requests')
    op.drop_index('ix_reset_requests_account_id', table_name='reset_requests')
    op.drop_table('reset_requests')
    op.drop_index('uq_report_templates_current', table_name='report_templates', postgresql_where=sa.text('is_current'))
    op.drop_table('report_templates')
    op.drop_table('report_schedules')
    op.drop_table('rehearsals')
    op.drop_table('law_imports')
    op.drop_table('content_loads')
    op.drop_table('bank_updates')
    op.drop_table('question_imports')
    op.drop_table('platform_flags')
    op.drop_table('backup_requests')
    op.drop_index('ix_pending_uploads_touched_at', table_name='pending_uploads')
    op.drop_table('pending_uploads')
    op.drop_index('uq_outgoing_messages_one_a_day', table_name='outgoing_messages', postgresql_where=sa.text('sent_on IS NOT NULL'))
    op.drop_index('ix_outgoing_messages_poll_at', table_name='outgoing_messages', postgresql_where=sa.text('poll_at IS NOT NULL'))
    op.drop_index('ix_outgoing_messages_operator_id', table_name='outgoing_messages', postgresql_where=sa.text("operator_id <> ''"))
    op.drop_index('ix_outgoing_messages_due', table_name='outgoing_messages', postgresql_where=sa.text("state IN ('waiting', 'sending')"))
    op.drop_index('ix_outgoing_messages_created_at', table_name='outgoing_messages')
    op.drop_table('outgoing_messages')
    op.drop_table('message_channels')
    op.drop_table('message_preferences')
    op.drop_table('notices')
    op.drop_table('media')
    op.drop_index('ix_laws_unchecked', table_name='laws', postgresql_where=sa.text('unchecked_since IS NOT NULL'))
    op.drop_table('laws')
    op.drop_table('knowledge_points')
    op.drop_table('heartbeats')
    op.drop_index('ix_feedbacks_unanswered', table_name='feedbacks', postgresql_where='answered_at IS NULL')
    op.drop_index('ix_feedbacks_person_id', table_name='feedbacks')
    op.drop_table('feedbacks')
    op.drop_table('exemption_reasons')
    op.drop_table('duty_plan_periods')
    op.drop_table('duty_key_days')
    op.drop_table('duplicate_searches')
    op.drop_table('certificate_templates')
    op.drop_table('blueprints')
    op.drop_index('uq_audit_seals_event_id', table_name='audit_seals')
    op.drop_table('audit_seals')
    op.drop_index('ix_audit_events_object', table_name='audit_events')
    op.drop_index('ix_audit_events_at', table_name='audit_events')
    op.drop_index('ix_audit_events_actor_id_at', table_name='audit_events')
    op.drop_table('audit_events')
    op.drop_table('audit_archives')
    op.drop_table('attempt_contacts')
    op.drop_index('uq_approvals_waiting', table_name='approvals', postgresql_where="state = 'waiting'")
    op.drop_index('ix_approvals_requested_at', table_name='approvals')
    op.drop_table('approvals')
    op.drop_index('ix_answer_history_attempt_id', table_name='answer_history')
    op.drop_table('answer_history')
    op.drop_index('ix_address_failures_address_failed_at', table_name='address_failures')
    op.drop_table('address_failures')
    op.drop_index('uq_jobs_key', table_name='jobs', postgresql_where=sa.text("key IS NOT NULL AND state IN ('queued', 'running', 'done')"))
    op.drop_index('ix_jobs_started_at', table_name='jobs')
    op.drop_index('ix_jobs_created_by_id', table_name='jobs')
    op.drop_index('ix_jobs_active', table_name='jobs', postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.drop_table('jobs')
