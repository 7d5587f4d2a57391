"""How the application is built from its settings and rooms."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask, Request, request
from flask.ctx import RequestContext
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from examapp import errors, faults, registry
from examapp.clock import clock
from examapp.config import Mode, Settings, read_settings
from examapp.db.schema import Migrations
from examapp.db.session import db, engine_options
from examapp.db.watchdog import install_watchdog
from examapp.delivery.attempts.queries import has_active_attempt, has_attempt_in_progress
from examapp.delivery.results.queries import are_keys_out
from examapp.errors import TryAgainError
from examapp.jobs.worker import init_celery
from examapp.learning.study_gates.queries import needs_missing
from examapp.ops import offline_cli
from examapp.ops.serving import CONNECTIONS
from examapp.organisation.accounts.guards import init_access
from examapp.organisation.accounts.rules import COOKIE_LIFE
from examapp.organisation.passwords.audit_trail import audit_denied_access, audit_downloads
from examapp.organisation.people.queries import find_mobiles
from examapp.organisation.sign_in.oidc import init_identity
from examapp.oversight.reminders.queries import is_out_of_date
from examapp.platform.setup.queries import has_accounts
from examapp.security import rate_limits
from examapp.security.ciphers import FieldCipher
from examapp.security.concurrency_limiter import REJECTED_QUEUE_DEPTH, ConcurrencyLimiter, Lane
from examapp.security.slow_bodies import Bodies
from examapp.web import assets, pages
from examapp.web.cached_session import CachedCsrfProtect, CachedSessionInterface
from examapp.web.logging import set_up_logging
from examapp.web.trusted_hosts import Hosts, own_path

_REFUSE_FROM = 10_000
"""New objects from which on refuse is looked for; a request makes some hundred, and few of them need it."""
_HANDED_ON_S = 0.0005
"""How long Python lets a thread run that others wait for: an answer beside a page of the office waits a tenth of what it would."""
_SITTING = "/api/v1/attempts/"
_ORGANISERS = ("/admin", "/api/v1/exports")
_REPORTS = ("/exports", "/participation")
_MAX_UPLOAD_BYTES = 32 * 1024 * 1024


class _Site(Flask):
    """Flask, told once what it would look for in every request, and nothing of the host that a request claims."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function as it is: no view of the house is a coroutine."""
        return func

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Let a HEAD be a GET to every view, which would take it for the sending of its form; the answer leaves without its body."""
        is_head = environ.get("REQUEST_METHOD") == "HEAD"
        return super().request_context({**environ, "REQUEST_METHOD": "GET"} if is_head else environ)

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """Lead to the address with its last `/` by its path alone."""
        if isinstance(request.routing_exception, RequestRedirect):
            request.routing_exception.new_url = own_path(request.routing_exception.new_url)
        super().raise_routing_exception(request)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from its settings; raises SettingsError where a setting would be dangerous.

    On the command line without a database it is built all the same, for the commands that only read files.
    """
    settings = settings or read_settings()
    is_bare = offline_cli.is_offline(settings)
    if not is_bare:
        settings.check()
    faults.arm(settings)
    rate_limits.set_up(turns=int(settings.max_concurrent_requests))
    rate_limits.gate.set_up(per_second=float(settings.starts_per_second), processes=int(settings.web_workers))
    set_up_logging(settings.log_level)
    app = _Site("examapp", static_folder=None)
    app.before_request(_refuse_without_turn)  # before anything is read
    app.session_interface = CachedSessionInterface()  # its own: what another key signed is not known here
    _configure(app, settings)
    db.init_app(app)
    Migrations(app)
    init_celery(app, broker_url=settings.redis_url, is_eager=settings.mode is Mode.TESTING)
    version, folder = offline_cli.NO_ASSETS if is_bare else assets.collect(settings.data_path)
    pages.init_pages(app, asset_version=version)
    init_access(app, is_sitting=has_attempt_in_progress)
    app.extensions.update(
        study_missing=needs_missing, is_sitting_counting=has_active_attempt, are_keys_out=are_keys_out
    )
    app.extensions["find_mobiles"] = partial(find_mobiles, sealer=app.extensions["sealer"])
    app.extensions["has_accounts"] = has_accounts
    app.extensions["is_message_out_of_date"] = is_out_of_date
    audit_denied_access(app)
    audit_downloads(app)
    init_identity(app)
    CachedCsrfProtect(app)
    app.register_blueprint(errors.blueprint)
    registry.register(app)
    if is_bare:
        offline_cli.reject_requests(app, settings)
        return app
    if settings.mode is not Mode.TESTING:
        with app.app_context():
            install_watchdog(db.engine)
            clock.follow(db.engine)
        tune_gc()
        sys.setswitchinterval(_HANDED_ON_S)
    _wrap(app, settings, version, folder)
    return app


def _wrap(app: Flask, settings: Settings, version: str, assets_folder: Path) -> None:
    """Put round the application what every request passes: the outermost comes last."""
    app.wsgi_app = pages.SecurityHeaders(app.wsgi_app, is_https=settings.https == "1")  # type: ignore[method-assign]  # Flask means it to be wrapped so
    app.wsgi_app = ConcurrencyLimiter(  # type: ignore[method-assign]
        app.wsgi_app,
        int(settings.max_concurrent_requests),
        _lane_of,
        gives_up=rate_limits.is_too_long,
        room=int(settings.web_threads),
        bodies=None if int(settings.trusted_proxies) else Bodies(CONNECTIONS),
    )
    app.wsgi_app = assets.serve(app.wsgi_app, version, assets_folder)  # type: ignore[method-assign]
    app.wsgi_app = Hosts(app.wsgi_app, site_url=settings.site_url)  # type: ignore[method-assign]
    if proxies := int(settings.trusted_proxies):
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]


def _lane_of(environ: dict[str, Any]) -> Lane:
    """Say how urgent a request is, by its address alone."""
    path = str(environ.get("PATH_INFO", ""))
    if path.startswith(_SITTING):
        return Lane.ANSWERS
    return Lane.ORGANISERS if path.startswith(_ORGANISERS) or path.endswith(_REPORTS) else Lane.PEOPLE


def _refuse_without_turn() -> None:
    if (ahead := request.environ.get(REJECTED_QUEUE_DEPTH)) is not None:
        raise TryAgainError(retry_after=min(20, 1 + round(rate_limits.wait_s(ahead))))


def tune_gc() -> None:
    """Tell Python that what stands now stands for good: looking through it for refuse would make every thousandth request wait 0.1 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_REFUSE_FROM, 10, 10)


def _configure(app: Flask, settings: Settings) -> None:
    is_https = settings.https == "1"
    url = settings.database_url
    app.config.from_mapping(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=url or offline_cli.NO_DATABASE,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url, int(settings.db_pool_size))
        if url
        else offline_cli.engine_options(settings),
        MAX_CONTENT_LENGTH=_MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="__Host-session" if is_https else "session",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFE,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.extensions["sealer"] = FieldCipher.from_setting(settings.data_keys, settings.data_cipher)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
