"""Styles, scripts and fonts: copied once from the project and its packages, compressed, served under a name that changes with them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

_OWN = Path(__file__).parent.parent / "static"
_FROM_BOOTSTRAP = ("css/bootstrap.min.css",)
_FOR_EVER_S = 31_536_000
_PREFIX = "static/"
_KEPT_VERSIONS = 5


def _bootstrap_folder() -> Path:
    package = find_spec("flask_bootstrap")
    if package is None or package.origin is None:
        raise RuntimeError("The package Bootstrap-Flask is not installed.")
    return Path(package.origin).parent / "static" / "bootstrap5"


def _sources() -> list[tuple[str, Path]]:
    own = [(str(path.relative_to(_OWN)), path) for path in sorted(_OWN.rglob("*")) if path.is_file()]
    return own + [(f"vendor/{Path(name).name}", _bootstrap_folder() / name) for name in _FROM_BOOTSTRAP]


def collect(data_folder: Path) -> tuple[str, Path]:
    """Copy and compress all assets once; return their common version and the folder that holds them."""
    sources = _sources()
    version = hashlib.sha256(b"".join(name.encode() + path.read_bytes() for name, path in sources)).hexdigest()[:12]
    folder = data_folder / "static" / version
    if not folder.exists():
        _copy_to(folder, sources)
    return version, folder


def _copy_to(folder: Path, sources: list[tuple[str, Path]]) -> None:
    """Make the folder beside its place and move it there whole: several processes may do so at once, the first one counts."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    for name, path in sources:
        target = unfinished / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        if Compressor().should_compress(name):
            list(Compressor(quiet=True).compress(str(target)))
    unfinished.chmod(0o755)
    try:
        unfinished.rename(folder)
    except OSError:
        shutil.rmtree(unfinished)


def serve(wsgi_app: object, version: str, folder: Path) -> WhiteNoise:
    """Serve the assets before the application is asked, cached for ever by the browser.

    Those of the last versions stay: a page that was opened before an upgrade may fetch the rest of what it needs after it.
    """
    server = WhiteNoise(
        wsgi_app, max_age=_FOR_EVER_S, immutable_file_test=lambda _path, url: url.startswith(f"/{_PREFIX}")
    )
    for name in {version, *_former_versions(folder.parent)}:
        server.add_files(str(folder.parent / name), prefix=f"{_PREFIX}{name}/")
    return server


def _former_versions(parent: Path) -> list[str]:
    versions = [path for path in parent.glob("[!.]*") if path.is_dir()]
    return [path.name for path in sorted(versions, key=lambda path: path.stat().st_mtime)[-_KEPT_VERSIONS:]]
