"""A program of one line for the tests of the web server: it says which version it is, which process answers, and which processor it has."""

import os
from pathlib import Path

VERSION = Path(os.environ["SERVED_VERSION_FILE"]).read_text().strip()
if VERSION == "broken":
    raise RuntimeError("this version does not start")


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{VERSION} {os.getpid()}".encode()]
