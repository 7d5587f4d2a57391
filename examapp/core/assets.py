"""Styles, scripts and fonts: copied once from the project and its packages, compressed, served under a name that changes with them."""

from __future__ import annotations

import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path

from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

_OWN = Path(__file__).parent.parent / "static"
_FROM_BOOTSTRAP = ("css/bootstrap.min.css",)
_FOR_EVER_S = 31_536_000


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
        unfinished = folder.with_name(f"{version}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for name, path in sources:
            target = unfinished / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            if Compressor().should_compress(name):
                list(Compressor(quiet=True).compress(str(target)))
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    return version, folder


def serve(wsgi_app: object, version: str, folder: Path) -> WhiteNoise:
    """Serve the assets before the application is asked, cached for ever by the browser."""
    server = WhiteNoise(
        wsgi_app, max_age=_FOR_EVER_S, immutable_file_test=lambda _path, url: f"/static/{version}/" in url
    )
    server.add_files(str(folder), prefix=f"static/{version}/")
    return server
