"""Fixtures of all tests: real PostgreSQL and Valkey from the wheels, schema from the migrations, a rollback per test."""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from examapp import create_app
from examapp.config import Settings
from examapp.core import db as core_db
from examapp.core.clock import clock
from examapp.core.db import db
from examapp.core.embedded import make_run_folder, start_postgres, start_valkey

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
"""The instant at which tests begin: noon in the county."""
