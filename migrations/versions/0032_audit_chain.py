"""the head of the audit chain is kept in a file of the data folder: here it begins

No table changes. The file is made where the operator brings the database to this version, once, and never by a part of the running site:
a program that made it whenever it is missing would accept whatever the database holds then (docs/decisions/0029). An existing file stays.
"""

from alembic import op
from flask import current_app
from sqlalchemy.orm import Session

from examapp.platform.audit_chain.actions import head_of_chain
from examapp import clock
from examapp.platform.audit_chain import actions as audit_chain_actions

revision = "0032_audit_chain"
down_revision = "0030_keys"
branch_labels = None
depends_on = None


def upgrade():
    folder = current_app.config["SETTINGS"].data_path
    folder.mkdir(parents=True, exist_ok=True)
    with Session(op.get_bind()) as session:
        audit_chain_actions.begin(folder, head_of_chain(session, now=clock.now()), sealer=current_app.extensions["sealer"])


def downgrade():
    """Leave the file: what it holds is still on the chain when the database comes to this version again."""
