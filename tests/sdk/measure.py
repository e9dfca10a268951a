"""How big the bot is and how fast it starts, against the sandbox in a process of its own.

    cargo build --release && python3 tests/sdk/measure.py --nightjar target/release/nightjar

Standard library only; Linux, since memory is read from /proc. Figures of a shared machine are worth their ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from typing import Any

from harness import Child, Sandbox, wait_until

STARTS = 10
QUESTIONS = 20


def resident_mib(child: Child) -> float:
    with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


class Measurement:
    def __init__(self, nightjar: str, sandbox: Sandbox, config: str) -> None:
        self.nightjar, self.sandbox, self.config = nightjar, sandbox, config

    def start_bot(self) -> Child:
        return Child("nightjar-run", [self.nightjar, "run", "--config", self.config])

    def connected(self) -> bool:
        return bool(self.sandbox.get("state")["bot_connected"])

    def start_seconds(self) -> float:
        began = time.monotonic()
        with self.start_bot():
            wait_until("the bot to connect", self.connected)
            took = time.monotonic() - began
        wait_until("the bot to leave", lambda: not self.connected())
        return took

    def ask(self, chat: dict[str, Any], number: int) -> None:
        asked = {"chat_id": chat["chat_id"], "sender": chat["members"][0], "mention_bot": True}
        message = self.sandbox.post("messages", asked | {"text": f"question {number}"})["message_id"]

        def is_answered() -> bool:
            signs = self.sandbox.message(chat["chat_id"], message)["reactions"]
            return [one["emoji_type"] for one in signs if one["by"] == "bot"] == ["DONE"]

        wait_until("an answer", is_answered, 60)

    def memory(self) -> tuple[float, float]:
        with self.start_bot() as bot:
            wait_until("the bot to connect", self.connected)
            idle = resident_mib(bot)
            chats = self.sandbox.get("state")["chats"]
            chat = next(one for one in chats if one["chat_type"] != "p2p" and one["bot"])
            answer = {"text": "Nothing is wrong. " * 50, "tokens_per_second": 5000}
            self.sandbox.post("model", {"replies": [answer] * QUESTIONS})
            for number in range(QUESTIONS):
                self.ask(chat, number)
            return idle, resident_mib(bot)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary, of a release build")
    nightjar = parser.parse_args().nightjar
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "bot.toml")
        with Sandbox(nightjar, "--platform-only", "--write-config", config) as sandbox:
            measurement = Measurement(nightjar, sandbox, config)
            starts = sorted(measurement.start_seconds() for _ in range(STARTS))
            idle, busy = measurement.memory()
    print(f"binary                               {os.path.getsize(nightjar) / 2**20:.1f} MiB")
    print(f"start to connected, median of {STARTS}     {statistics.median(starts) * 1000:.0f} ms")
    print(f"start to connected, slowest          {starts[-1] * 1000:.0f} ms")
    print(f"resident, idle and connected         {idle:.1f} MiB")
    print(f"resident, after {QUESTIONS} answers           {busy:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
