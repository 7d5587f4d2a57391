"""A mail server of the test: speaks enough SMTP over TLS to take a letter, or to refuse it as told."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make_certificate(path, days=9):
    """Write a certificate for `localhost` with its key, trusted by nobody else, and give the path; with days below 0 it has run out."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)  # noqa: TID251 – TLS looks at the machine's clock
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=20), now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server that keeps its `letters` and the `commands` it was given; `rejections` are its lines instead of the usual ones, by command."""

    daemon_threads = True

    def __init__(self, certificate, rejections):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.certificate, self.rejections = certificate, rejections
        self.letters: list[Any] = []
        self.commands: list[str] = []
        self.port = self.server_address[1]


class _Conversation(socketserver.StreamRequestHandler):
    """One client."""

    server: MailServer

    def handle(self):
        with contextlib.suppress(OSError, ssl.SSLError):
            self._say("220 localhost")
            while line := self.rfile.readline().decode().strip():
                self.server.commands.append(line.split(":")[0].split(" ")[0].upper())
                if not self._answer(self.server.commands[-1]):
                    break
        for each in (self.rfile, self.wfile, self.request):
            with contextlib.suppress(OSError):
                each.close()

    def _answer(self, command):
        if rejection := self.server.rejections.get(command):
            self._say(rejection)
        elif command == "EHLO":
            extra = "250-STARTTLS\r\n" if self.server.certificate and not self._is_secure else ""
            self._say(f"250-localhost\r\n{extra}250 AUTH PLAIN")
        elif command == "STARTTLS":
            self._say("220 go on")
            self._secure()
        elif command == "DATA":
            self._take_letter()
        else:
            self._say({"AUTH": "235 ok", "QUIT": "221 bye"}.get(command, "250 ok"))
        return command != "QUIT"

    @property
    def _is_secure(self):
        return isinstance(self.request, ssl.SSLSocket)

    def _secure(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate)
        self.request = self.connection = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)

    def _take_letter(self):
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.server.letters.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._say("250 ok")

    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@contextlib.contextmanager
def run_mail_server(certificate=None, **rejections):
    """Run a mail server; with a certificate it offers STARTTLS. Gives it, with its `letters`, `commands` and `port`."""
    server = MailServer(certificate, rejections)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
