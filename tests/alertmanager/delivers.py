"""Prometheus' own Alertmanager tells Nightjar of an alert that fires and of its end.

    python3 tests/alertmanager/delivers.py --nightjar target/debug/nightjar --alertmanager prometheus-alertmanager

Standard library only. Each check prints a line; the last line counts them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import socket
import sys
import tempfile
import urllib.request
from typing import Any, Optional

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "sdk"))

from harness import PATIENCE_S, Checks, Child, Sandbox, equal, wait_until  # noqa: E402

# The integration of every sandbox.
KEY = "sandbox-alerts-key"

CONFIG = """
route:
  receiver: nightjar
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 200ms
  repeat_interval: 1h
receivers:
  - name: nightjar
    webhook_configs:
      - url: http://127.0.0.1:{port}/alerts/{key}/alertmanager
        send_resolved: true
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Delivery:
    """A sandbox with its bot, and an Alertmanager that knows its address."""

    def __init__(self, nightjar: str, alertmanager: str, folder: str) -> None:
        self.web, self.port = free_port(), free_port()
        env = {
            "OPENAI_API_KEY": "",
            "OPENAI_BASE_URL": "",
            "NIGHTJAR__WEB__LISTEN": f"127.0.0.1:{self.web}",
            # What ends is over at once.
            "NIGHTJAR__INCIDENTS__QUIET": "0s",
        }
        config = os.path.join(folder, "alertmanager.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=self.web, key=KEY))
        self.sandbox = Sandbox(nightjar, env=env)
        self.alertmanager = Child(
            "alertmanager",
            [
                alertmanager,
                f"--config.file={config}",
                f"--storage.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
                # It is alone.
                "--cluster.listen-address=",
            ],
        )
        chats = self.sandbox.get("state")["chats"]
        self.chat_id = next(one["chat_id"] for one in chats if one["chat_type"] != "p2p")
        self.began = datetime.datetime.now(datetime.timezone.utc)
        self.card: Optional[dict[str, Any]] = None

    def starts(self) -> None:
        wait_until("the bot to connect", lambda: self.sandbox.get("state")["bot_connected"])
        wait_until("Alertmanager to be ready", self._is_ready)

    def _is_ready(self) -> bool:
        self.alertmanager.check_alive()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=PATIENCE_S) as answer:
                return answer.status == 200
        except OSError:
            return False

    def tell(self, over: bool) -> None:
        """As Prometheus tells Alertmanager."""
        alert = {
            "labels": {"alertname": "PoolNearlyFull", "service": "checkout", "severity": "critical"},
            "annotations": {"summary": "The connection pool of checkout is nearly full"},
            "startsAt": self.began.isoformat(),
            "generatorURL": "http://prometheus.example/graph",
        }
        if over:
            alert["endsAt"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/alerts",
            data=json.dumps([alert]).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            equal(answer.status, 200, "Alertmanager's answer")

    def cards(self) -> list[dict[str, Any]]:
        """The bot's cards that speak of the alert."""
        said = self.sandbox.messages(self.chat_id)
        named = ("PoolNearlyFull", "pool of checkout")
        return [one for one in said if one["card"] and any(name in one["text"] for name in named)]

    def fires(self) -> None:
        self.tell(over=False)
        self.card = wait_until("the incident's card", lambda: (self.cards() or [None])[0])

    def recovers(self) -> None:
        assert self.card, "there was no card"
        self.tell(over=True)

        def shows_the_end() -> bool:
            text = self.sandbox.message(self.chat_id, self.card["message_id"])["text"]
            assert "Resolved" in text, f"the card shows {text!r}"
            return True

        wait_until("the card to show the end", shows_the_end)
        equal(len(self.cards()), 1, "the number of cards")

    def is_counted(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/metrics", timeout=PATIENCE_S) as answer:
            lines = answer.read().decode().splitlines()
        labels = '{integration="sandbox",format="alertmanager",outcome="accepted"}'
        counted = [line for line in lines if line.startswith(f"nightjar_alert_requests_total{labels}")]
        equal(counted, [f"nightjar_alert_requests_total{labels} 2"], "the number of requests")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary")
    parser.add_argument("--alertmanager", required=True, help="the binary")
    given, checks = parser.parse_args(), Checks()
    with tempfile.TemporaryDirectory() as folder:
        delivery = Delivery(given.nightjar, given.alertmanager, folder)
        with delivery.sandbox as sandbox, delivery.alertmanager as alertmanager:
            checks.run("Alertmanager and the bot are there", delivery.starts)
            checks.run("an alert that fires becomes a card", delivery.fires)
            checks.run("its end shows on the same card", delivery.recovers)
            checks.run("two requests were taken, and no more came", delivery.is_counted)
            if checks.failed:
                print(f"---- the sandbox said\n{sandbox.output()}----", file=sys.stderr)
                print(f"---- Alertmanager said\n{alertmanager.output()}----", file=sys.stderr)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
