"""A small OpenID Connect provider over HTTP: discovery, keys, authorization, tokens signed with joserfc; faults if asked for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "exam-platform", "a-secret-that-both-know"


@cache
def _keys() -> tuple[RSAKey, RSAKey]:
    """Make the provider's key and another one, once for all tests: each takes a second to find."""
    return RSAKey.generate_key(2048, {"kid": "k1"}), RSAKey.generate_key(2048, {"kid": "k1"})


class Provider:
    """Who it says has signed in is `claims`; `issues` change what its tokens claim."""

    def __init__(self) -> None:
        self.key, self.foreign_key = _keys()
        self.claims: dict[str, object] = {}
        self.issues: dict[str, object] = {}
        self.signs_with_foreign_key = False
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def authorize(self, address: str) -> str:
        """Do what a person at the provider does; gives the address that the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        target = urlsplit(asked["redirect_uri"])
        return f"{target.path}?{urlencode({'code': code, 'state': asked['state']})}"

    def _handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/.well-known/openid-configuration":
                    self._answer(provider._metadata())
                elif self.path == "/keys":
                    self._answer(KeySet([provider.key]).as_dict(private=False))
                else:
                    self._answer({"error": "not_found"}, 404)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                asked = provider.codes.pop(form.get("code", ""), None)
                if asked is None or not provider._may_redeem(self.headers, form, asked):
                    self._answer({"error": "invalid_grant"}, 400)
                else:
                    self._answer(provider._tokens(asked))

            def _answer(self, body, status=200):
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args):
                pass

        return Handler

    def _metadata(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _may_redeem(self, headers, form, asked):
        given = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        return (
            headers.get("Authorization") == f"Basic {given}"
            and challenge.decode().rstrip("=") == asked["code_challenge"]
            and form.get("redirect_uri") == asked["redirect_uri"]
        )

    def _tokens(self, asked):
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "u1", "iat": now, "exp": now + 300, "nonce": asked.get("nonce"),
        } | self.claims | self.issues  # fmt: skip
        key = self.foreign_key if self.signs_with_foreign_key else self.key
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key)
        return {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "id_token": token}
