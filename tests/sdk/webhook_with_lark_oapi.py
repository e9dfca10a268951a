"""The vendor's own Python SDK, unchanged, as the developer's server that the sandbox posts to.

The sandbox encrypts and signs, the SDK decrypts, verifies and answers; what it takes is the proof that the
sandbox posts as the platform does, and so that a bot which takes the sandbox's posts takes the platform's.

    python tests/sdk/webhook_with_lark_oapi.py --nightjar target/debug/nightjar

Each check prints a line; the last line counts them.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from typing import Any

import lark_oapi as lark

from harness import Checks, Sandbox, equal, wait_until
from trial import Trial
from webhook_server import DeveloperServer, OldCards
from wire import Wire

CARD = {
    "schema": "2.0",
    "config": {"update_multi": True},
    "body": {
        "elements": [
            {"tag": "markdown", "content": "the pool is full"},
            {
                "tag": "button",
                "text": {"tag": "plain_text", "content": "Acknowledge"},
                "behaviors": [{"type": "callback", "value": {"do": "ack"}}],
            },
        ]
    },
}


class WebhookChecks(Trial):
    """One after the other; each sets the webhook as it needs it."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, Wire())
        self.server = DeveloperServer()
        self.key, self.verification = self.app["encrypt_key"], self.app["verification_token"]
        self.old = OldCards(self.key, self.verification)

    def _serve(self, encrypt_key: str, token: str) -> None:
        """The SDK's dispatchers with these keys."""
        events = self.inbox.handler()
        events._encrypt_key, events._verification_token = encrypt_key, token
        self.server.handlers = {"/events": events, "/cards": events, "/old": self.old.handler}

    def _set(self, cards: str = "/cards", **settings: Any) -> Any:
        urls = {"events_url": self.server.url("/events"), "cards_url": self.server.url(cards)}
        return self.sandbox.post("webhook", urls | settings)

    def _posted(self, event_id: str) -> list[dict[str, Any]]:
        return [one for one in self.sandbox.get("deliveries")["deliveries"] if one["event_id"] == event_id]

    def _click(self) -> dict[str, Any]:
        clicked = {"message_id": self.card, "operator": self.bob["open_id"], "button": "Acknowledge"}
        return self.sandbox.post("clicks", clicked)

    def check_wrong_key(self) -> None:
        """an address whose server has another Encrypt Key is not accepted"""
        self._serve("another key", self.verification)
        try:
            self._set()
        except AssertionError as error:
            assert "HTTP 400" in str(error) and "challenge" in str(error), error
        else:
            raise AssertionError("it was accepted")

    def check_wrong_token(self) -> None:
        """nor is one whose server has another Verification Token"""
        self._serve(self.key, "another token")
        try:
            self._set()
        except AssertionError as error:
            assert "HTTP 400" in str(error), error
        else:
            raise AssertionError("it was accepted")

    def check_challenge(self) -> None:
        """the SDK answers the encrypted url_verification, for events, callbacks and old cards"""
        self._serve(self.key, self.verification)
        self._set(cards="/old")
        self._set()
        assert set(json.loads(self.server.requests[-1][2])) == {"encrypt"}, "it was not encrypted"
        assert self.sandbox.get("state")["bot_connected"], "the sandbox does not count it as connected"

    def check_message(self) -> None:
        """a message is decrypted, its signature verified, and its delivery acknowledged"""
        message_id = self.say("连接池满了, is it?", mention_bot=True)
        event = self.inbox.message(message_id)
        assert "连接池满了" in event.event.message.content, event.event.message.content
        _, headers, _ = self.server.requests[-1]
        assert len(headers["X-Lark-Signature"]) == 64, headers
        (delivery,) = wait_until(
            "the acknowledgement",
            lambda: [one for one in self._posted(event.header.event_id) if one["acked_ms"]],
        )
        equal((delivery["connection"], delivery["attempt"]), ("webhook", 1), "connection and attempt")

    def check_forged(self) -> None:
        """the SDK refuses what the sandbox sends without a signature, and it counts as failed"""
        self._set(sign=False)
        message_id = self.say("unsigned", mention_bot=True)
        failed = wait_until(
            "the failure",
            lambda: [one for one in self.sandbox.get("deliveries")["deliveries"] if one["failure"]],
        )
        equal(failed[-1]["failure"], "answered with HTTP 500", "failure")
        assert not self.inbox.messages(message_id), "the SDK took it"
        self._set()
        self.advance(16)
        self.inbox.message(message_id)

    def check_retries(self) -> None:
        """an event that the SDK's handler fails on comes again with the same event_id"""
        self.inbox.fail_once_on = "please fail"
        message_id = self.say("please fail", mention_bot=True)
        wait_until("the failure", lambda: self.inbox.failures == 1)
        wait_until(
            "its record",
            lambda: self.sandbox.get("deliveries")["deliveries"][-1]["failure"] == "answered with HTTP 500",
        )
        assert not self.inbox.messages(message_id)
        self.advance(16)
        event = self.inbox.message(message_id)
        attempts = wait_until(
            "two attempts", lambda: self._posted(event.header.event_id)[1:] and self._posted(event.header.event_id)
        )
        equal([one["attempt"] for one in attempts], [1, 2], "attempts")

    def check_click(self) -> None:
        """a press reaches the SDK's callback, and its toast reaches the person"""
        sent = self.send("interactive", CARD)
        assert sent.success(), sent.msg
        self.card = sent.data.message_id
        answer = self._click()
        equal(answer["client_error"], None, "client_error")
        equal(answer["toast"]["content"], self.inbox.toast, "toast")
        event = self.inbox.all("card.action.trigger")[-1].event
        equal(event.action.value, {"do": "ack"}, "value")
        equal((event.operator.open_id, event.context.open_message_id), (self.bob["open_id"], self.card), "who and where")

    def check_old_click(self) -> None:
        """the old card callback passes the SDK's sha1 check, encrypted and plain"""
        for encrypt in (True, False):
            self._set(cards="/old", legacy_cards=True, encrypt=encrypt)
            self.old.answer = lambda: {"toast": {"type": "info", "content": "seen by the old handler"}}
            answer = self._click()
            equal(answer["client_error"], None, "client_error")
            equal(answer["toast"]["content"], "seen by the old handler", "toast")
            card = self.old.cards[-1]
            equal(card.action.value, {"do": "ack"}, "value")
            equal((card.open_id, card.open_message_id), (self.bob["open_id"], self.card), "who and where")
            assert len(self.server.requests[-1][1]["X-Lark-Signature"]) == 40

    def check_old_card(self) -> None:
        """a card that the old handler answers with takes the place of the pressed one; no answer changes nothing"""
        new = {"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "acknowledged by Bob"}]}}
        self.old.answer = None
        equal(self._click()["client_error"], None, "client_error")
        assert "the pool is full" in self.seen(self.card)["text"]
        self.old.answer = lambda: new
        equal(self._click()["client_error"], None, "client_error")
        assert "acknowledged by Bob" in self.seen(self.card)["text"], self.seen(self.card)["text"]

    def check_plain(self) -> None:
        """without an Encrypt Key, the SDK takes what carries the token"""
        self._serve("", self.verification)
        self._set(encrypt=False)
        message_id = self.say("in the open", mention_bot=True)
        self.inbox.message(message_id)
        _, headers, body = self.server.requests[-1]
        assert "X-Lark-Signature" not in headers
        equal(json.loads(body)["header"]["token"], self.verification, "token")

    def check_gone(self) -> None:
        """a server that has gone is the client's error 200342, and {} goes back to the long connection"""
        sent = self.send("interactive", CARD)
        self.card = sent.data.message_id
        self.server.stop()
        equal(self._click()["client_error"], 200342, "client_error")
        self.sandbox.post("webhook", {})
        equal(self._click()["client_error"], 200340, "client_error")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary")
    arguments = parser.parse_args()
    # Requests that the SDK refuses are part of the checks, and it logs each with a traceback.
    lark.logger.setLevel(logging.CRITICAL + 1)
    checks = Checks()
    with Sandbox(arguments.nightjar, "--platform-only") as sandbox:
        for name, check in WebhookChecks(sandbox).checks():
            checks.run(name, check)
        if checks.failed:
            print(f"---- the sandbox said\n{sandbox.output()}----", file=sys.stderr)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
