"""An OpenID Connect provider for tests: ``python -m tests.support.openid_provider PORT``.

It signs real tokens and checks clients, codes, redirects and PKCE as the standards demand. It asks for no
password: ``POST /control`` says who signs in, and which fault the next answers have.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "hrims sync", "se:cret/of+the client"


class State:
    """What the provider knows: its key, the user who signs in, the codes that it has given, and the fault."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
        self.user: dict[str, Any] = {}
        self.fault = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}

    def control(self, order: dict[str, Any]) -> None:
        """Set the user and the fault, or replace the key."""
        self.user, self.fault = order.get("user", self.user), order.get("fault", "")
        if order.get("rotate"):
            self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document."""
        issuer = "http://evil.example" if self.fault == "issuer of metadata" else self.issuer
        names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        paths = ("authorize", "token", "userinfo", "keys")
        return {"issuer": issuer} | {
            name: f"{self.issuer}/{path}" for name, path in zip(names, paths, strict=True)
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser goes: back to the client, with a code."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        assert query["nonce"]
        if self.fault == "denied":
            answer = {"error": "access_denied", "state": query["state"]}
            return f"{query['redirect_uri']}?{urlencode(answer)}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return status and body for a code."""
        wanted = self.codes.pop(form.get("code", ""), None)
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = _encode(digest)
        is_right = (
            wanted
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == wanted["redirect_uri"]
            and challenge == wanted["code_challenge"]
        )
        if not is_right or not wanted:
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe(16)
        self.tokens[access_token] = self.user
        token = {"access_token": access_token, "token_type": "Bearer", "expires_in": 60}
        return 200, token | {"id_token": self.id_token(wanted, access_token)}

    def id_token(self, query: dict[str, str], access_token: str) -> str:
        """Return a signed ID token, wrong if the fault says so."""
        now, half = int(time.time()), hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": self.user["sub"], "iat": now, "exp": now + 300,
            "nonce": query["nonce"], "at_hash": _encode(half),
            "auth_time": now if query.get("prompt") == "login" else now - 7200,
        }  # fmt: skip
        changes: dict[str, dict[str, Any]] = {
            "iss": {"iss": "http://evil.example"},
            "aud": {"aud": "another client"},
            "expired": {"exp": now - 600},
            "nonce": {"nonce": "another"},
            "at_hash": {"at_hash": "x" * 22},
            "sub": {"sub": ""},
            "auth_time": {"auth_time": now - 7200},
        }
        claims |= changes.get(self.fault, {})
        header, key = {"alg": "RS256", "kid": self.key.kid}, self.key
        if self.fault == "key":
            key = RSAKey.generate_key(2048)
        if self.fault == "HS256":
            # Signed with the public key as if it were a shared secret.
            signed = f"{_encode(json.dumps(header | {'alg': 'HS256'}))}.{_encode(json.dumps(claims))}"
            public = self.key.as_pem(private=False)
            return f"{signed}.{_encode(hmac.digest(public, signed.encode(), 'sha256'))}"
        if self.fault == "none":
            return f"{_encode(json.dumps({'alg': 'none'}))}.{_encode(json.dumps(claims))}."
        return jwt.encode(header, claims, key)


def _encode(part: str | bytes) -> str:
    content = part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def main(port: int) -> None:
    """Serve until the process is stopped."""
    state = State(port)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", state.authorize(query))
                self.end_headers()
            elif url.path == "/keys":
                self._answer(200, {"keys": [state.key.as_dict(private=False)]})
            elif url.path == "/userinfo":
                known = state.tokens[self.headers["Authorization"].removeprefix("Bearer ")]
                self._answer(200, known | ({"sub": "other"} if state.fault == "userinfo" else {}))
            else:
                self._answer(200, state.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/control":
                state.control(json.loads(body))
                self._answer(200, {})
                return
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*state.exchange(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            if state.fault == "garbage" and self.path != "/control":
                content = b"<html>"
            self.send_response(500 if state.fault == "status" and self.path != "/control" else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print("ready", flush=True)  # noqa: T201 - the test waits for it
        server.serve_forever(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]))
