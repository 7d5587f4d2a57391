"""Signs in thousands at once, without a hash: one row and one cookie each, as the sign-in itself would leave them (waves need them seated)."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import insert, select

from examapp import clock, create_app
from examapp.db.session import read_session, transaction
from examapp.organisation.accounts.rules import digest
from examapp.organisation.people.models import Account, Person, SignIn


def main(first: int, count: int, path: str) -> dict[str, int]:
    """Seat demo candidates and write `[{cookie, csrf}]` to a file; gives how many."""
    app = create_app()
    names = json.loads((app.config["SETTINGS"].data_path / "demo-accounts.json").read_text("utf-8"))["candidates"]
    wanted = names["login_names"][first : first + count]
    with app.app_context():
        rows = read_session().execute(
            select(Account.id)
            .join(Person, Person.id == Account.person_id)
            .where(Person.staff_number.in_(wanted))
            .order_by(Person.staff_number)
        )
        tokens = {row.id: secrets.token_urlsafe(32) for row in rows}
        with transaction() as session:
            session.execute(
                insert(SignIn),
                [
                    {"account_id": account_id, "token_digest": digest(token), "started_at": clock.now(), "device": ""}
                    for account_id, token in tokens.items()
                ],
            )
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        csrf = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token")
        seats = []
        for token in tokens.values():
            raw = secrets.token_hex(20)
            session_data = {"_user_id": token, "_fresh": True, "_permanent": True, "csrf_token": raw}
            seats.append(
                {"cookie": f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(session_data)}", "csrf": csrf.dumps(raw)}
            )
    Path(path).write_text(json.dumps(seats), "utf-8")
    return {"seats": len(seats)}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
