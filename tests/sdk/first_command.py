"""What a newcomer sees after `nightjar sandbox`: an address, a page, and a bot that answers.

    python tests/sdk/first_command.py --nightjar target/debug/nightjar

Standard library only. Each check prints a line; the last line counts them.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import urllib.request
from typing import Any, Optional

from harness import PATIENCE_S, Checks, Sandbox, equal, wait_until

# A debug build on a busy machine; a release build takes a fraction of it.
START_S = 5.0


class FirstCommand:
    """The sandbox as the README starts it, but on a free port."""

    def __init__(self, nightjar: str) -> None:
        began = time.monotonic()
        # The environment of whoever runs this may name a real model; nothing here is its business.
        self.sandbox = Sandbox(nightjar, env={"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""})
        self.started_in = time.monotonic() - began

    def starts(self) -> None:
        assert self.started_in < START_S, f"it took {self.started_in:.2f} s to print the address"
        print(f"     the address was printed after {self.started_in:.2f} s")

    def serves_the_page(self) -> None:
        page = self.fetch("/")
        assert "<html" in page.lower() and "nightjar" in page.lower(), page[:200]
        for asset in re.findall(r'(?:src|href)="(/[^"]+)"', page):
            assert self.fetch(asset), f"{asset} is empty"

    def fetch(self, path: str) -> str:
        with urllib.request.urlopen(self.sandbox.base_url + path, timeout=PATIENCE_S) as answer:
            equal(answer.status, 200, f"the status of {path}")
            return answer.read().decode()

    def answers(self) -> None:
        wait_until("the bot to connect", lambda: self.sandbox.get("state")["bot_connected"])
        chats = self.sandbox.get("state")["chats"]
        chat = next(one for one in chats if one["chat_type"] != "p2p" and one["bot"])
        asked = {"chat_id": chat["chat_id"], "sender": chat["members"][0], "text": "what is going on?"}
        question = self.sandbox.post("messages", asked | {"mention_bot": True})["message_id"]

        def closed_card() -> Optional[dict[str, Any]]:
            said = self.sandbox.messages(chat["chat_id"])
            replies = [one for one in said if one["parent_id"] == question and one["card"]]
            return replies[0] if replies and not replies[0]["card"]["streaming"] else None

        def reactions() -> list[str]:
            every = self.sandbox.message(chat["chat_id"], question)["reactions"]
            return [one["emoji_type"] for one in every if one["by"] == "bot"]

        card = wait_until("the final card", closed_card, 60)
        assert card["text"].strip(), "the card is empty"
        wait_until("the reaction DONE alone", lambda: reactions() == ["DONE"])

    def ends(self) -> None:
        equal(self.sandbox.stop(), 0, "the exit code after SIGTERM")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary")
    first, checks = FirstCommand(parser.parse_args().nightjar), Checks()
    with first.sandbox as sandbox:
        checks.run("the sandbox prints its address", first.starts)
        checks.run("the page and what it loads are there", first.serves_the_page)
        checks.run("a mention is answered, and one DONE remains", first.answers)
        checks.run("SIGTERM ends it in order", first.ends)
        if checks.failed:
            print(f"---- the sandbox said\n{sandbox.output()}----", file=sys.stderr)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
