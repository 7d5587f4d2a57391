"""How the application is built from its settings and features."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask, Request, request
from flask.cli import FlaskGroup
from sqlalchemy import Connection
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from examapp import errors, registry
from examapp.clock import clock
from examapp.config import Mode, Settings, SettingsError, read_settings
from examapp.db.addresses import database_address
from examapp.db.read_end import end_reads_by_commit
from examapp.db.schema import db_command
from examapp.db.session import db, engine_options
from examapp.db.watchdog import ConnectionWatchdog
from examapp.delivery.attempts.queries import has_attempt_in_progress
from examapp.delivery.attempts.views import find_my_counting_attempt
from examapp.delivery.exam_candidates.queries import has_exam_ahead
from examapp.delivery.results.queries import are_keys_out
from examapp.errors import TryAgainError
from examapp.jobs.worker import init_celery
from examapp.learning.study_gates.queries import missing_study_label, needs_missing
from examapp.ops.web_server import CONNECTIONS
from examapp.organisation.accounts.guards import init_access
from examapp.organisation.accounts.rules import COOKIE_LIFE
from examapp.organisation.passwords.audit_trail import audit_denied_access, audit_downloads
from examapp.organisation.people.queries import find_mobiles
from examapp.organisation.sign_in.oidc import init_identity
from examapp.oversight.reminders.queries import is_out_of_date
from examapp.platform.setup.queries import find_sign_in_policy, find_site_texts, has_accounts
from examapp.security import rate_limits
from examapp.security.ciphers import FieldCipher
from examapp.security.concurrency_limiter import REJECTED_QUEUE_DEPTH, ConcurrencyLimiter, PriorityClass
from examapp.security.slow_bodies import Bodies
from examapp.web import assets, pages
from examapp.web.cached_session import CachedSessionInterface, init_csrf
from examapp.web.logging import set_up_logging
from examapp.web.trusted_hosts import TrustedHosts, own_path

_GC_THRESHOLD = 10_000
"""New objects after which the garbage collector runs; a request makes some hundred, and few of them need it."""
_SWITCH_INTERVAL_S = 0.0005
"""How long Python lets a thread run while others wait: a save beside a page of the office waits a tenth of what it would."""
_EXAM_API = "/api/v1/attempts/"
_OFFICE = ("/admin", "/api/v1/exports")
_REPORTS = ("/exports", "/participation")
_MAX_UPLOAD_BYTES = 32 * 1024 * 1024


class _Application(Flask):
    """Flask, told once what it would look for in every request, and nothing of the host that a request claims."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function as it is: no view of the application is a coroutine."""
        return func

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
    is_offline = _is_offline_command(settings)
    if not is_offline:
        settings.check()
    rate_limits.set_up(slots=settings.max_concurrent_requests)
    rate_limits.gate.set_up(per_second=settings.starts_per_second)
    set_up_logging(settings.log_level)
    app = _Application("examapp", static_folder=None)
    app.before_request(_reject_if_shed)  # before anything is read
    app.session_interface = CachedSessionInterface()  # its own: what another key signed is not known here
    _configure(app, settings)
    db.init_app(app)
    app.cli.add_command(db_command)
    init_celery(
        app, broker_url=settings.redis_url, is_eager=settings.app_mode is Mode.TESTING, is_province=settings.province
    )
    version, folder = ("", Path()) if is_offline else assets.collect(settings.data_path)
    pages.init_pages(app, asset_version=version)
    init_access(app, has_active_attempt=has_attempt_in_progress)
    _let_lower_features_ask(app)
    audit_denied_access(app)
    audit_downloads(app)
    init_identity(app)
    init_csrf(app)
    app.register_blueprint(errors.blueprint)
    registry.register(app)
    if is_offline:
        app.wsgi_app = lambda *_: _fail_without_database(settings)  # type: ignore[method-assign]
        return app
    with app.app_context():
        end_reads_by_commit(app, db.engine)
    if settings.app_mode is not Mode.TESTING:
        with app.app_context():
            ConnectionWatchdog().install(db.engine)
            clock.readers.append(partial(_follow_site, app))
            clock.follow(db.engine)
        tune_gc()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
    _wrap(app, settings, version, folder)
    return app


def _let_lower_features_ask(app: Flask) -> None:
    """Give lower features the functions of upper ones that they ask at run time (docs/architecture.md, "Upward calls")."""
    app.extensions.update(
        study_missing=needs_missing,
        missing_study_label=missing_study_label,
        find_my_counting_attempt=find_my_counting_attempt,
        are_keys_out=are_keys_out,
        has_exam_ahead=has_exam_ahead,
        find_mobiles=partial(find_mobiles, cipher=app.extensions["cipher"]),
        has_accounts=has_accounts,
        is_message_out_of_date=is_out_of_date,
    )


def _follow_site(app: Flask, connection: Connection) -> None:
    if texts := find_site_texts(connection):
        pages.show_site_texts(app, pages.SiteTexts(**texts))
    if policy := find_sign_in_policy(connection):
        app.extensions["sign_in_policy"] = policy


def _is_offline_command(settings: Settings) -> bool:
    """Return True if the command line looks up a command and no database is set; a server that starts is never offline."""
    context = click.get_current_context(silent=True)
    is_command = context is not None and isinstance(context.command, FlaskGroup)
    return is_command and not settings.database_url and not settings.redis_url


def _fail_without_database(settings: Settings) -> NoReturn:
    """Say which setting is missing as soon as an offline command needs a connection or is asked to serve."""
    try:
        settings.check()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    raise SettingsError("没有数据库。请设置 DATABASE_URL 和 REDIS_URL。")


def _wrap(app: Flask, settings: Settings, version: str, assets_folder: Path) -> None:
    """Wrap the application in its WSGI middleware, the outermost last."""
    app.wsgi_app = pages.HeadAsGet(app.wsgi_app)  # type: ignore[method-assign]  # Flask means it to be wrapped so
    app.wsgi_app = pages.SecurityHeaders(app.wsgi_app, is_https=settings.https)  # type: ignore[method-assign]
    app.wsgi_app = ConcurrencyLimiter(  # type: ignore[method-assign]
        app.wsgi_app,
        settings.max_concurrent_requests,
        _classify,
        should_shed=rate_limits.should_shed,
        bodies=None if settings.trusted_proxies else Bodies(CONNECTIONS),
    )
    app.wsgi_app = assets.serve(app.wsgi_app, version, assets_folder)  # type: ignore[method-assign]
    app.wsgi_app = TrustedHosts(app.wsgi_app, site_url=settings.site_url)  # type: ignore[method-assign]
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]


def _classify(environ: dict[str, Any]) -> PriorityClass:
    """Classify a request by its address alone."""
    path = str(environ.get("PATH_INFO", ""))
    if path.startswith(_EXAM_API):
        return PriorityClass.EXAM
    is_office = path.startswith(_OFFICE) or path.endswith(_REPORTS)
    return PriorityClass.OFFICE if is_office else PriorityClass.CANDIDATE


def _reject_if_shed() -> None:
    if (depth := request.environ.get(REJECTED_QUEUE_DEPTH)) is not None:
        raise TryAgainError(retry_after=min(20, 1 + round(rate_limits.expected_wait_s(depth))))


def tune_gc() -> None:
    """Exempt what is loaded by now from garbage collection: scanning it would make every thousandth request wait 0.1 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 10, 10)


def _configure(app: Flask, settings: Settings) -> None:
    is_https = settings.https
    url = settings.database_url
    app.config.from_mapping(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=database_address(url) if url else "postgresql+psycopg://",
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.db_pool_size)
        if url
        else {"creator": lambda: _fail_without_database(settings)},
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
    app.extensions["cipher"] = FieldCipher.from_setting(settings.data_keys, settings.data_cipher)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
