"""A developer's server: the vendor's SDK behind Python's own HTTP server."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Optional

import lark_oapi as lark
from lark_oapi.core.http import HttpHandler
from lark_oapi.core.model import RawRequest


class DeveloperServer:
    """Hands what is posted to the SDK's handlers, `/events` and `/cards` each to its own, on a free port."""

    def __init__(self) -> None:
        self.handlers: dict[str, HttpHandler] = {}
        # What each request came with, newest last: the path, the headers, the body.
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = outer.answer(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Says nothing: the checks do."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        """The address that one would enter in the console."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """What the SDK says to a request."""
        self.requests.append((path, headers, body))
        handler = self.handlers.get(path)
        if handler is None:
            return 404, b"{}"
        request = RawRequest()
        request.uri, request.headers, request.body = path, headers, body
        response = handler.do(request)
        return response.status_code, response.content or b""

    def stop(self) -> None:
        """Takes no more."""
        self._server.shutdown()
        self._server.server_close()


class OldCards:
    """The SDK's handler of the old card callback, and the cards that it handed over."""

    def __init__(self, encrypt_key: str, verification_token: str) -> None:
        self.cards: list[Any] = []
        self.answer: Optional[Callable[[], Any]] = None
        builder = lark.CardActionHandler.builder(encrypt_key, verification_token)
        self.handler = builder.register(self._take).build()

    def _take(self, card: Any) -> Any:
        self.cards.append(card)
        return self.answer() if self.answer else None
