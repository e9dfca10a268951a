"""Watches what the vendor's SDK sends and receives, and keeps it.

The SDK stays as it was published: the two libraries under it (`requests` and `websockets`) are watched.
"""

from __future__ import annotations

import json
import pathlib
import threading
from typing import Any, Optional
from urllib.parse import urlsplit

import requests
from lark_oapi.ws.pb.pbbp2_pb2 import Frame
from websockets.asyncio.client import ClientConnection

CONTROL, DATA = 0, 1


class Wire:
    """Everything that crossed the wire, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._check = ""
        self.calls: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self._fixtures: dict[str, str] = {}
        self._watch_requests()
        self._watch_frames()

    def begin(self, check: str) -> None:
        """What follows belongs to this check."""
        with self._lock:
            self._check = check
        self._first_frame = len(self.frames)

    def _watch_requests(self) -> None:
        send = requests.Session.send

        def watched(session: requests.Session, request: requests.PreparedRequest, **kwargs: Any):
            response = send(session, request, **kwargs)
            with self._lock:
                self.calls.append(_call(self._check, request, response))
            return response

        requests.Session.send = watched

    def _watch_frames(self) -> None:
        recv, send = ClientConnection.recv, ClientConnection.send

        async def watched_recv(connection: ClientConnection, *args: Any, **kwargs: Any):
            message = await recv(connection, *args, **kwargs)
            self._keep_frame("received", message)
            return message

        async def watched_send(connection: ClientConnection, message: Any, *args: Any, **kwargs: Any):
            self._keep_frame("sent", message)
            return await send(connection, message, *args, **kwargs)

        ClientConnection.recv, ClientConnection.send = watched_recv, watched_send

    def _keep_frame(self, direction: str, message: Any) -> None:
        data = message.encode() if isinstance(message, str) else bytes(message)
        with self._lock:
            self.frames.append({"check": self._check, "direction": direction, "hex": data.hex()})

    def frames_of_check(self, direction: str, method: int) -> list[Frame]:
        """The frames of the check that runs, decoded by the SDK's own classes."""
        return [frame for frame, _ in self._own_frames(direction, method)]

    def _own_frames(self, direction: str, method: int) -> list[tuple[Frame, str]]:
        own = []
        for kept in list(self.frames)[self._first_frame :]:
            frame = Frame()
            frame.ParseFromString(bytes.fromhex(kept["hex"]))
            if kept["direction"] == direction and frame.method == method:
                own.append((frame, kept["hex"]))
        return own

    def keep_call(self, name: str, call: Optional[dict[str, Any]] = None) -> None:
        """Makes the last call, or this one, a fixture."""
        call = call or self.calls[-1]
        self._fixtures[f"{name}.json"] = json.dumps(call, ensure_ascii=False, indent=1) + "\n"

    def keep_frames(self, name: str, direction: str = "received", method: int = DATA) -> None:
        """Makes this check's frames a fixture: one frame a line, in the order in which they came."""
        lines = [text for _, text in self._own_frames(direction, method)]
        assert lines, f"there is no frame to keep as {name}"
        self._fixtures[f"{name}.hex"] = "".join(f"{line}\n" for line in lines)

    def write(self, folder: pathlib.Path) -> None:
        """Writes all of it to `wire.jsonl`, and what was chosen to `fixtures/`."""
        fixtures = folder / "fixtures"
        fixtures.mkdir(parents=True, exist_ok=True)
        with open(folder / "wire.jsonl", "w", encoding="utf-8") as file:
            for line in [*self.calls, *self.frames]:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        for name, text in self._fixtures.items():
            (fixtures / name).write_text(text, encoding="utf-8")


def _call(check: str, request: requests.PreparedRequest, response: requests.Response) -> dict[str, Any]:
    url = urlsplit(request.url)
    path = url.path + (f"?{url.query}" if url.query else "")
    kept = ("content-type", "x-tt-logid", "x-ogw-")
    headers = {key: value for key, value in response.headers.items() if key.lower().startswith(kept)}
    return {
        "check": check,
        # The Authorization header is left out, and so is the secret: neither teaches a decoder anything.
        "request": {"method": request.method, "path": path, "body": _without_secret(request.body)},
        "response": {
            "status": response.status_code,
            "headers": headers,
            "body": _json_or_text(response.content),
        },
    }


def _json_or_text(body: Any) -> Any:
    if body is None:
        return None
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        return json.loads(text)
    except ValueError:
        return text


def _without_secret(body: Any) -> Any:
    value = _json_or_text(body)
    if isinstance(value, dict):
        return {key: "***" if "secret" in key.lower() else inner for key, inner in value.items()}
    return value
