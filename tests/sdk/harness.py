"""What the real-input tests share: child processes, waiting, the sandbox's control API, and counting checks.

Standard library only, so that any test here can use it whatever else its virtual environment holds.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Callable, Optional, TypeVar

T = TypeVar("T")

# Everything is on this machine; a proxy named in the environment must not get to see it.
for name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)

# How long any one thing may take. Far above what it does take, so that only a fault meets it.
PATIENCE_S = 20.0


def wait_until(what: str, probe: Callable[[], Optional[T]], seconds: float = PATIENCE_S) -> T:
    """Asks `probe` until it gives something true, and fails with `what` when the time is over.

    An AssertionError of the probe counts as "not yet", and is told when it is the last word.
    """
    end = time.monotonic() + seconds
    last: Optional[AssertionError] = None
    while True:
        try:
            found = probe()
            if found:
                return found
            last = None
        except AssertionError as error:
            last = error
        if time.monotonic() > end:
            because = f": {last}" if last else ""
            raise AssertionError(f"waited {seconds:g} s in vain for {what}{because}")
        time.sleep(0.02)


class Child:
    """A process of ours, with its output in a file so that it never blocks on a full pipe."""

    def __init__(self, name: str, command: list[str], env: Optional[dict[str, str]] = None) -> None:
        self.name = name
        self._output = tempfile.NamedTemporaryFile(prefix=f"{name}-", suffix=".log")
        # A session of its own, so that what it starts itself ends with it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # What it says may be shown here: no colours, and no backtraces longer than this whole run.
            env=os.environ | {"NO_COLOR": "1", "RUST_BACKTRACE": "0"} | (env or {}),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check_alive(self) -> None:
        """Fails at once when the process has ended, instead of after a long wait."""
        code = self._process.poll()
        if code is not None:
            raise RuntimeError(f"{self.name} ended with {code}:\n{self.output()}")

    def output(self, characters: int = 4000) -> str:
        """The end of what it printed."""
        with open(self._output.name, encoding="utf-8", errors="replace") as file:
            return file.read()[-characters:]

    def stop(self) -> int:
        """Asks it to end, insists after a while, and gives the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                print(f"{self.name} did not end when it was told to, and is killed", flush=True)
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()


class Sandbox(Child):
    """`nightjar sandbox` on a free port, and its control API."""

    def __init__(self, nightjar: str, *arguments: str, env: Optional[dict[str, str]] = None) -> None:
        command = [nightjar, "sandbox", "--listen", "127.0.0.1:0", *arguments]
        super().__init__("nightjar-sandbox", command, env)
        try:
            # It prints its address once it listens, which also spares us guessing a free port.
            self.base_url = wait_until("the sandbox to print its address", self._printed_address)
        except BaseException:
            self.stop()
            raise

    def _printed_address(self) -> Optional[str]:
        self.check_alive()
        found = re.search(r"http://[\w.\[\]:]+:\d+", self.output())
        return found.group() if found else None

    def get(self, path: str, **query: Any) -> Any:
        """`GET /sandbox/…`"""
        return self._call("GET", f"{path}?{urllib.parse.urlencode(query)}", None)

    def post(self, path: str, body: Any) -> Any:
        """`POST /sandbox/…`"""
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: Optional[bytes]) -> Any:
        request = urllib.request.Request(
            f"{self.base_url}/sandbox/{path}",
            data=body,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            raise AssertionError(f"{method} /sandbox/{path}: HTTP {error.code} {text}") from None
        except OSError as error:
            self.check_alive()  # says more than "connection refused"
            raise RuntimeError(f"{method} /sandbox/{path}: {error}") from None

    def messages(self, chat_id: str) -> list[dict[str, Any]]:
        """What people see in a chat, oldest first."""
        return self.get("messages", chat_id=chat_id)["messages"]

    def message(self, chat_id: str, message_id: str) -> dict[str, Any]:
        """One message as people see it."""
        for message in self.messages(chat_id):
            if message["message_id"] == message_id:
                return message
        raise AssertionError(f"nobody sees {message_id}")


def equal(actual: Any, expected: Any, what: str) -> None:
    """Asserts, and says what differs."""
    assert actual == expected, f"{what} is {actual!r} and not {expected!r}"


class Checks:
    """Runs checks in order, a line each, and counts them."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def run(self, name: str, check: Callable[[], None]) -> bool:
        """A check that fails is reported, and the next one has its turn."""
        try:
            check()
        except Exception as error:  # a check may fail in any way that it likes
            self.failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exception(error, limit=-4, chain=False, file=sys.stdout)
            return False
        self.passed += 1
        print(f"ok   {name}", flush=True)
        return True

    def finish(self) -> int:
        """Prints the closing line, and gives the exit code: 0 only if something ran and nothing failed."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
