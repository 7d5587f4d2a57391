"""the yearly assessment of the responsibility system, its vote, and reminders"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0007_assessment"
down_revision = "0006_own_notes"
branch_labels = None
depends_on = None


def upgrade():
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
    op.create_table('duty_reminders',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('for_day', sa.Date(), nullable=False),
    sa.Column('asked_by_id', sa.BigInteger(), nullable=True),
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


def downgrade():
    op.drop_table('duty_assessment_scores')
    op.drop_table('duty_assessment_revisions')
    op.drop_table('duty_assessment_reviews')
    op.drop_table('duty_votes_taken')
    op.drop_table('duty_vote_tallies')
    op.drop_index(op.f('ix_duty_reminders_person_id'), table_name='duty_reminders')
    op.drop_table('duty_reminders')
    op.drop_index(op.f('ix_duty_assessment_sheets_unit_id'), table_name='duty_assessment_sheets')
    op.drop_table('duty_assessment_sheets')
    op.drop_index(op.f('ix_duty_assessment_reviewers_person_id'), table_name='duty_assessment_reviewers')
    op.drop_table('duty_assessment_reviewers')
    op.drop_index(op.f('ix_duty_assessment_items_assessment_id'), table_name='duty_assessment_items')
    op.drop_table('duty_assessment_items')
    op.drop_table('duty_assessments')
