"""study events, certificates, and the ledger's record of an event"""

from alembic import op
import sqlalchemy as sa


revision = '0010_records'
down_revision = '0009_duty_record_files'
branch_labels = None
depends_on = None


def upgrade():
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
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('code_seed', sa.LargeBinary(), nullable=False),
    sa.Column('code_opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('code_closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('study_group', 'report', 'lecture', 'night_school', 'court', 'other')", name=op.f('ck_study_events_kind')),
    sa.CheckConstraint("state IN ('planned', 'held', 'cancelled')", name=op.f('ck_study_events_state')),
    sa.CheckConstraint('(code_opened_at IS NULL) = (code_closes_at IS NULL)', name=op.f('ck_study_events_code')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_study_events_times')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_study_events_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_study_events'))
    )
    op.create_index('ix_study_events_unit_id_starts_at', 'study_events', ['unit_id', 'starts_at'], unique=False)
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
    op.create_table('event_code_tries',
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('wrong', sa.SmallInteger(), nullable=False),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['study_events.id'], name=op.f('fk_event_code_tries_event_id')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_event_code_tries_person_id')),
    sa.PrimaryKeyConstraint('event_id', 'person_id', name=op.f('pk_event_code_tries'))
    )
    op.create_table('certificate_jobs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('site_url', sa.Text(), nullable=False),
    sa.Column('file', sa.LargeBinary(), nullable=True),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'running', 'ready', 'failed', 'expired')", name=op.f('ck_certificate_jobs_state')),
    sa.CheckConstraint('done >= 0 AND total >= 0 AND tries >= 0', name=op.f('ck_certificate_jobs_counts')),
    sa.ForeignKeyConstraint(['plan_id'], ['certificate_plans.id'], name=op.f('fk_certificate_jobs_plan_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_certificate_jobs_unit_id')),
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
    op.create_table('certificates',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_name', sa.Text(), nullable=False),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
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
    op.create_table('event_materials',
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('file_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['study_events.id'], name=op.f('fk_event_materials_event_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_files.id'], name=op.f('fk_event_materials_file_id')),
    sa.PrimaryKeyConstraint('event_id', 'file_id', name=op.f('pk_event_materials'))
    )
    op.add_column('duty_records', sa.Column('event_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_duty_records_event_id'), 'duty_records', 'study_events', ['event_id'], ['id'])
    op.create_index('uq_duty_records_event_id', 'duty_records', ['event_id'], unique=True, postgresql_where=sa.text('withdrawn_at IS NULL'))


def downgrade():
    op.drop_index('uq_duty_records_event_id', table_name='duty_records')
    op.drop_constraint(op.f('fk_duty_records_event_id'), 'duty_records', type_='foreignkey')
    op.drop_column('duty_records', 'event_id')
    op.drop_table('event_materials')
    op.drop_index('uq_certificates_live', table_name='certificates', postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.drop_index(op.f('ix_certificates_unit_id'), table_name='certificates')
    op.drop_index('ix_certificates_person_id', table_name='certificates')
    op.drop_index(op.f('ix_certificates_grade_id'), table_name='certificates')
    op.drop_table('certificates')
    op.drop_table('certificate_plan_courses')
    op.drop_index(op.f('ix_certificate_jobs_plan_id'), table_name='certificate_jobs')
    op.drop_table('certificate_jobs')
    op.drop_table('event_code_tries')
    op.drop_index(op.f('ix_event_attendances_person_id'), table_name='event_attendances')
    op.drop_table('event_attendances')
    op.drop_table('certificate_plans')
    op.drop_index('ix_study_events_unit_id_starts_at', table_name='study_events')
    op.drop_table('study_events')
    op.drop_table('certificate_templates')
