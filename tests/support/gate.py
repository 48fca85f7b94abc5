"""A server in front of the simulator that admits only some tokens. Tests change them while it runs."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx

from tests.support.simulated import PLAIN, Simulator


class Gate:
    """The gate. ``accepted`` are the tokens that it admits, ``seen`` counts admitted requests by token."""

    def __init__(self, simulator: Simulator, *accepted: str) -> None:
        self.accepted = set(accepted)
        self.seen: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._target = httpx.Client(base_url=simulator.url, timeout=60, trust_env=False, verify=PLAIN)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = gate.pass_on(self.headers.get("Token", ""), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        return Handler

    def pass_on(self, token: str, body: bytes) -> tuple[int, bytes]:
        """Return the answer of the simulator, or a refusal."""
        with self._lock:
            admits = token in self.accepted
            (self.seen if admits else self.refused)[token] += 1
        if not admits:
            return 401, b"{}"
        answer = self._target.post("/Employees", content=body)
        return answer.status_code, answer.content

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._target.close()
