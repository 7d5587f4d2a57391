"""My certificates as PDF and as pictures, and the public page that checks one."""

from __future__ import annotations

from hmac import compare_digest
from io import BytesIO

from flask import render_template, request, send_file
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.images import first_page_png
from examapp.learning.certificates.models import Certificate
from examapp.learning.certificates.queries import find_by_number, get_own_certificate, printed_of
from examapp.learning.certificates.rules import clean_check_code, clean_number
from examapp.learning.study_events.views import blueprint, send_pdf
from examapp.organisation.accounts.guards import my_user, public, signed_in
from examapp.web.trusted_hosts import site_url

_MAX_NAME_LENGTH = 50


@blueprint.get("/study/certificates/<int:certificate_id>.pdf")
@signed_in
def download_certificate(certificate_id: int) -> Response:
    """Give one of my certificates as PDF."""
    certificate = get_own_certificate(read_session(), certificate_id, my_user().person_id)
    return send_pdf(_drawn(certificate), f"{certificate.heading}{certificate.number}.pdf")


@blueprint.get("/study/certificates/<int:certificate_id>.png")
@signed_in
def show_certificate_picture(certificate_id: int) -> Response:
    """Show one of my certificates as a picture, to be kept by a long press where a browser shows no PDF (WeChat)."""
    certificate = get_own_certificate(read_session(), certificate_id, my_user().person_id)
    name = f"{certificate.heading}{certificate.number}.png"
    return send_file(BytesIO(first_page_png(_drawn(certificate))), mimetype="image/png", download_name=name)


def _drawn(certificate: Certificate) -> bytes:
    from examapp.learning.certificates.render_pdf import Page, draw_certificates

    return draw_certificates(
        [Page(printed=printed_of(certificate), digest=certificate.digest)],
        site_url=site_url(),
        seal=certificate.plan.template.seal,
        made_at=certificate.issued_at,
        title=f"{certificate.heading} {certificate.number}",
    )


@blueprint.route("/verify", methods=["GET", "POST"])
@public
def verify() -> str:
    """Check a certificate by its number and check code; a name is only compared with what the checker types, never shown."""
    given = request.form if request.method == "POST" else request.args
    number, typed = clean_number(given.get("n", "")), given.get("c", "")[:40]
    certificate = _find(number, clean_check_code(typed)) if number else None
    name = (request.form.get("name", "").strip()[:_MAX_NAME_LENGTH]) if request.method == "POST" else ""
    return render_template(
        "records/verify.html",
        number=number,
        code=typed,
        is_requested=bool(number),
        certificate=certificate,
        is_intact=certificate is not None and printed_of(certificate).digest(certificate.salt) == certificate.digest,
        name=name,
        is_name_right=certificate is not None and compare_digest(name.encode(), certificate.name.encode()),
        as_of=clock.now(),
    )


def _find(number: str, code: str) -> Certificate | None:
    """Find a certificate by number and check code: a wrong code is the same as a number that there is not."""
    certificate = find_by_number(read_session(), number)
    if certificate is None or not code or not compare_digest(certificate.digest[: len(code)], code):
        return None
    return certificate
