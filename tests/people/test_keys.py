"""Data at rest (H24): sealed for one row, by either cipher; a change of keys that may be cut off; broken seals shown, never a crash."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary, select

from examapp.db.session import Base, encrypted_columns
from examapp.organisation.accounts.models import RecoveryCode, SecondFactor
from examapp.organisation.data_keys import actions as data_key_actions
from examapp.organisation.mfa import actions as mfa_actions
from examapp.organisation.people.models import Account, Person
from examapp.organisation.people.rules import RECOVERY_PURPOSE, id_check_character, id_number_binding
from examapp.platform.audit.models import AuditEvent, AuditSeal
from examapp.platform.audit.queries import check_chain
from examapp.security import ciphers
from examapp.security.ciphers import CipherName, DecryptionError, FieldCipher, sm4_key
from tests.conftest import NOON
from tests.helpers.accounts import ID, give_numbers
from tests.people.conftest import hash_of, sign_in

OLD = "k1:" + "11" * 32
NEW = "k2:" + "22" * 32
LETTERS = frozenset({"content", "annotated"})
PLAIN = frozenset({"bank_updates", "law_imports", "media", "question_imports"})
"""Tables whose files hold pictures, questions and texts of laws, nothing about anybody."""


def id_number(serial):
    digits = f"1101051949123{serial:04d}"
    return digits + id_check_character(digits)


@pytest.fixture
def use(app, monkeypatch):
    """Gives the program other data keys, as after a start with a new setting."""

    def use(*data_keys, cipher=CipherName.AES, app=app):
        field_cipher = FieldCipher.from_setting(",".join(data_keys), cipher)
        monkeypatch.setitem(app.extensions, "cipher", field_cipher)
        return field_cipher

    return use


@pytest.mark.parametrize("cipher", list(CipherName))
def test_what_is_sealed_opens_for_its_row_alone(cipher):
    field_cipher = FieldCipher.from_setting(OLD, cipher)
    sealed = field_cipher.seal(ID, associated_data="person:1:id_number")
    assert ID.encode() not in sealed
    assert sealed != field_cipher.seal(ID, associated_data="person:1:id_number"), "a fresh nonce each time"
    assert field_cipher.decrypt(sealed, associated_data="person:1:id_number") == ID
    for other in ("person:2:id_number", "person:1:mobile"):
        with pytest.raises(DecryptionError):
            field_cipher.decrypt(sealed, associated_data=other)


@pytest.mark.parametrize("cipher", list(CipherName))
def test_no_flipped_bit_and_no_shortened_value_opens(cipher):
    field_cipher = FieldCipher.from_setting(OLD, cipher)
    sealed = field_cipher.seal("13800000001", associated_data="x")
    for place in range(len(sealed)):
        with pytest.raises(DecryptionError):
            field_cipher.decrypt(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], associated_data="x")
        with pytest.raises(DecryptionError):
            field_cipher.decrypt(sealed[:place], associated_data="x")


def test_sm4_gcm_is_that_of_rfc_8998():

    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    plain = bytes.fromhex("".join(pair * 8 for pair in ("AA", "BB", "CC", "DD", "EE", "FF", "EE", "AA")))
    associated_data = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ciphers, "sm4_key", lambda key: key)
        sealed = ciphers._encrypt_sm4(key, nonce, plain, associated_data)
        assert ciphers._decrypt_sm4(key, nonce, sealed, associated_data) == plain
    assert sealed.hex().upper() == (
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert len(sm4_key(bytes(32))) == 16
    assert sm4_key(bytes(32)) != bytes(16), "no key serves both ciphers"


def test_either_cipher_opens_what_the_other_sealed():
    aes, sm4 = FieldCipher.from_setting(OLD), FieldCipher.from_setting(OLD, "sm4-gcm")
    assert sm4.decrypt(aes.seal(ID, associated_data="x"), associated_data="x") == ID
    assert aes.decrypt(sm4.seal(ID, associated_data="x"), associated_data="x") == ID
    assert sm4.seal(ID, associated_data="x").startswith(b"sm4-gcm:k1\0")


def break_seal(person, how, session, cipher):
    sealed = person.id_number_encrypted
    if how == "swapped":
        sealed = cipher.seal(ID, associated_data=id_number_binding(person.id + 1))
    elif how == "flipped":
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    elif how == "cut":
        sealed = sealed[:9]
    elif how == "unknown key":
        sealed = b"k9" + sealed[2:]
    elif how == "no head":
        sealed = b"\xff\xfe"
    person.id_number_encrypted = sealed
    session.flush()


@pytest.mark.parametrize("how", ["swapped", "flipped", "cut", "unknown key", "no head", "key taken away"])
def test_a_broken_seal_is_said_with_an_alarm_and_breaks_no_page(app, world, session, use, how, capsys):
    unit = world.unit("甲局")
    cipher = app.extensions["cipher"]
    person = give_numbers(world, world.person(unit, name="张三"), cipher=cipher)
    if how == "key taken away":
        cipher = use(NEW)
    else:
        break_seal(person, how, session, cipher)
    office = world.client(world.admin("publicity_office", unit))
    page = office.get(f"/admin/people/{person.id}")
    assert page.status_code == 200
    assert "无法显示" in page.text
    assert ID not in page.text
    assert "seal_broken" in capsys.readouterr().err
    assert office.get("/admin/people/").status_code == 200
    assert office.get(f"/admin/people/{person.id}/edit").status_code == 200
    checked = app.test_cli_runner().invoke(args=["keys", "check"])
    assert checked.exit_code == 1
    assert f"person:{person.id}:id_number" in checked.output


def test_a_second_factor_whose_seal_is_broken_still_yields_to_a_recovery_code(app, world, session, use, fixed_clock):
    account = session.query(Account).filter_by(person_id=world.person().id).one()
    factor = SecondFactor(
        account_id=account.id, secret_encrypted=b"k1\0broken", made_at=fixed_clock.instant, confirmed_at=NOON
    )
    world.save(factor)
    index = app.extensions["cipher"].blind_index("ABCDEFGHJK", purpose=RECOVERY_PURPOSE)
    world.save(RecoveryCode(account_id=account.id, code_index=index))
    cipher = use(NEW, OLD)
    for typed, by in (("123456", ""), ("ABCDE-FGHJK", "recovery_code")):
        assert mfa_actions._prove(session, factor, typed, cipher=cipher, now=fixed_clock.instant).by == by


@pytest.fixture
def roster_of(race_app, race_world):
    """Twelve people with numbers under the old key, the first with a password."""
    unit = race_world.unit("甲局")
    cipher = race_app.extensions["cipher"]
    people = []
    for serial in range(12):
        person = race_world.person(unit, name=f"人{serial}")
        people.append(
            give_numbers(race_world, person, cipher=cipher, number=id_number(serial), mobile=f"138000000{serial:02d}")
        )
    account = race_world.session.query(Account).filter_by(person_id=people[0].id).one()
    account.password_hash = hash_of(race_app.extensions["hasher"], "Right-password-1")
    race_world.commit()
    return people


def heads(world):
    world.session.rollback()
    return [row[0].partition(b"\0")[0] for row in world.session.execute(select(Person.id_number_encrypted))]


def test_a_change_of_keys_that_is_cut_off_goes_on_where_it_stopped(race_app, race_world, roster_of, use, monkeypatch):
    """True commits: what was sealed before the fall stays, sign-in by ID number works before, between and after."""

    def can_sign_in():
        return sign_in(race_world.client(), id_number(0), "Right-password-1").status_code == 303

    use(NEW, OLD, app=race_app)
    run = race_app.test_cli_runner()
    whole, rounds = data_key_actions.reencrypt_batch, []

    def falls(*args, **fields):
        rounds.append(1)
        if len(rounds) == 3:
            raise KeyboardInterrupt
        return whole(*args, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(data_key_actions, "reencrypt_batch", falls)
        cut = run.invoke(args=["keys", "rotate", "--batch", "4"])
    assert cut.exit_code == 1
    assert "身份证号：8/12" in cut.output
    assert sorted(heads(race_world)) == [b"k1"] * 4 + [b"k2"] * 8
    assert can_sign_in()
    done = run.invoke(args=["keys", "rotate", "--batch", "5"])
    assert done.exit_code == 0, done.output
    assert "身份证号：4/4" in done.output, "the eight are not done again"
    assert set(heads(race_world)) == {b"k2"}
    event = race_world.session.query(AuditEvent).filter_by(act="people.rotate_keys").one()
    assert (event.details["key"], event.details["left"], event.details["done"]) == ("k2", 0, 16)
    use(NEW, app=race_app)
    assert can_sign_in(), "without the old key"
    assert "k1" not in run.invoke(args=["keys", "status"]).output


def test_rows_that_cannot_be_opened_are_named_and_left_alone(race_app, race_world, roster_of, use):
    broken = roster_of[3]
    broken.mobile_encrypted = b"k1\0" + bytes(60)
    race_world.commit()
    use(NEW, OLD, app=race_app, cipher="sm4-gcm")
    run = race_app.test_cli_runner().invoke(args=["keys", "rotate"])
    assert run.exit_code == 1
    assert f"person:{broken.id}:mobile" in run.output
    race_world.session.rollback()
    race_world.session.refresh(broken)
    assert broken.mobile_encrypted == b"k1\0" + bytes(60)
    assert set(heads(race_world)) == {b"sm4-gcm:k2"}
    status = race_app.test_cli_runner().invoke(args=["keys", "status"]).output
    assert "密钥 k1：1 项" in status
    assert "密钥 sm4-gcm:k2：23 项" in status


def test_while_keys_change_a_number_is_found_and_rejected_twice(world, session, app, use):
    """The search, the roster's form and a second import know numbers under either key."""
    unit = world.unit("甲局")
    person = give_numbers(world, world.person(unit, name="张三"), cipher=app.extensions["cipher"])
    use(NEW, OLD)
    office = world.api(world.admin("publicity_office", unit))
    assert "张三" in office.get(f"/admin/people/?q={ID}").text
    form = {"name": "李四", "staff_number": "Z9", "unit_id": unit.id, "id_number": ID, "is_on_roster": "y"}
    assert "已登记在另一人名下" in office.post("/admin/people/new", data=form).text
    assert session.query(Person).filter_by(id_number_index=person.id_number_index).count() == 1


def test_the_chain_over_the_log_outlives_a_change_of_keys(app, world, session, fixed_clock, use):
    from tests.helpers.audit_log import note

    seal = app.extensions["celery"].tasks["audit.seal"].apply
    note(session, fixed_clock.instant)
    session.flush()
    seal()
    both = use(NEW, OLD)
    note(session, fixed_clock.instant)
    session.flush()
    seal()
    assert [row.key_id for row in session.query(AuditSeal).order_by(AuditSeal.number)] == ["k1", "k2"]
    assert check_chain(session, cipher=both, now=fixed_clock.instant).issues == []
    issues = check_chain(session, cipher=use(NEW), now=fixed_clock.instant).issues
    assert len(issues) == 1
    assert "k1" in issues[0]


def test_every_sealed_column_is_known_to_the_change_of_keys():
    known = {column.column.property.columns[0] for column in encrypted_columns}
    sealed = {
        column
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and (column.name.endswith("_encrypted") or column.name in LETTERS)
        if table.name not in PLAIN
    }
    assert sealed == known
