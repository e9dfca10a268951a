"""What comes over the long connection, in good times and bad ones."""

from __future__ import annotations

import json
from typing import Any

import lark_oapi as lark
from lark_oapi.ws.exception import ClientException

from harness import equal, wait_until
from refusal_checks import RefusalChecks
from trial import PACE
from wire import CONTROL, DATA


class ConnectionChecks(RefusalChecks):
    """They use the message, the thread and the card of the checks before them."""

    def check_ws_wrong_secret(self) -> None:
        """the long connection refuses a wrong secret with 514, which the SDK takes as final"""
        client = lark.ws.Client(
            self.app["app_id"], "wrong", domain=self.sandbox.base_url, log_level=lark.LogLevel.CRITICAL
        )
        try:
            client.start()
        except ClientException as error:
            equal(error.code, 514, "code")
        else:
            raise AssertionError("the SDK connected with a wrong secret")

    def check_ws_connect(self) -> None:
        """the SDK connects, its ping is answered, and the sandbox knows that a bot is there"""
        self.faults()
        self.connection.start()
        wait_until("a connection", lambda: self.sandbox.get("state")["bot_connected"])
        wait_until("a pong", lambda: self.wire.frames_of_check("received", CONTROL))
        self.wire.keep_frames("ping", "sent", CONTROL)
        self.wire.keep_frames("pong", "received", CONTROL)
        equal(self.connection.client._reconnect_interval, PACE["ReconnectInterval"], "the served interval")

    def check_ws_group(self) -> None:
        """a mention in a group arrives with its sender, its chat and its mentions"""
        message_id = self.say("@Bob what is going on? 出了什么事?", mention_bot=True)
        event = self.inbox.message(message_id)
        header, message, sender = event.header, event.event.message, event.event.sender
        equal((header.event_type, header.app_id), ("im.message.receive_v1", self.app["app_id"]), "header")
        equal(
            (header.token, header.tenant_key),
            (self.app["verification_token"], self.app["tenant_key"]),
            "token and tenant",
        )
        assert header.event_id and len(header.create_time) == 13, vars(header)
        equal((sender.sender_id.open_id, sender.sender_type), (self.ada["open_id"], "user"), "sender")
        equal(
            (message.chat_id, message.chat_type, message.message_type),
            (self.chat_id, "group", "text"),
            "message",
        )
        equal(json.loads(message.content)["text"], "@_user_1 @_user_2 what is going on? 出了什么事?", "text")
        equal([one.key for one in message.mentions], ["@_user_1", "@_user_2"], "keys")
        equal(
            [one.id.open_id for one in message.mentions],
            [self.app["open_id"], self.bob["open_id"]],
            "mentioned",
        )
        equal((message.thread_id, message.parent_id), (None, None), "thread_id and parent_id")
        self.acknowledged(header.event_id)
        self.wire.keep_frames("event_group_mention")
        self.wire.keep_frames("ack_group_mention", "sent")

    def acknowledged(self, event_id: str, attempts: int = 1) -> list[dict[str, Any]]:
        """Waits until the sandbox has the SDK's acknowledgement of the last attempt."""

        def done() -> Any:
            tries = [
                one for one in self.sandbox.get("deliveries")["deliveries"] if one["event_id"] == event_id
            ]
            return tries if len(tries) == attempts and tries[-1]["acked_ms"] else None

        return wait_until(f"the acknowledgement of {event_id}", done)

    def check_ws_direct(self) -> None:
        """a direct message arrives as p2p"""
        said = self.sandbox.post("messages", {"sender": self.bob["open_id"], "text": "psst"})
        message = self.inbox.message(said["message_id"]).event.message
        equal((message.chat_type, message.chat_id), ("p2p", said["chat_id"]), "chat")
        equal(message.mentions, None, "mentions")
        self.wire.keep_frames("event_direct")

    def check_ws_thread(self) -> None:
        """a message in a thread carries its thread_id, its root and its parent"""
        message_id = self.say("and now?", mention_bot=True, reply_to=self.root, thread=True)
        message = self.inbox.message(message_id).event.message
        equal(
            (message.thread_id, message.root_id),
            (self.thread_reply.thread_id, self.root),
            "thread_id and root_id",
        )
        assert message.parent_id, "there is no parent_id"
        self.wire.keep_frames("event_thread")

    def check_ws_quote(self) -> None:
        """a quoting reply carries its parent and no thread"""
        message_id = self.say("this one?", mention_bot=True, reply_to=self.sent)
        message = self.inbox.message(message_id).event.message
        equal((message.parent_id, message.thread_id), (self.sent, None), "parent_id and thread_id")
        self.wire.keep_frames("event_quote")

    def check_ws_post(self) -> None:
        """a rich text arrives with its mention as a key"""
        content = {"title": "Help", "content": [[{"tag": "text", "text": "the pool is full"}]]}
        message_id = self.say("", msg_type="post", content=content, mention_bot=True)
        message = self.inbox.message(message_id).event.message
        equal((message.message_type, json.loads(message.content)["title"]), ("post", "Help"), "message")
        equal([one.key for one in message.mentions], ["@_user_1"], "keys")
        self.wire.keep_frames("event_post")

    def check_ws_all(self) -> None:
        """a mention of everybody is a mention of nobody in particular"""
        message_id = self.say("fire drill", mention_all=True)
        message = self.inbox.message(message_id).event.message
        assert "@_all" in json.loads(message.content)["text"], message.content
        ids = [one.id.open_id for one in message.mentions or [] if one.id]
        assert self.app["open_id"] not in ids, ids
        self.wire.keep_frames("event_mention_all")

    def check_ws_reaction(self) -> None:
        """a reaction and a recall by a person arrive as events"""
        message_id = self.say("look at this")
        self.sandbox.post(
            f"messages/{message_id}/reactions", {"user": self.bob["open_id"], "emoji_type": "OK"}
        )
        reaction = wait_until("the reaction", lambda: self.inbox.all("im.message.reaction.created_v1"))[
            -1
        ].event
        equal((reaction.message_id, reaction.reaction_type.emoji_type), (message_id, "OK"), "reaction")
        equal(
            (reaction.operator_type, reaction.user_id.open_id), ("user", self.bob["open_id"]), "who reacted"
        )
        self.sandbox.post(f"messages/{message_id}/recall", {})
        recalled = wait_until("the recall", lambda: self.inbox.all("im.message.recalled_v1"))[-1].event
        equal((recalled.message_id, recalled.chat_id), (message_id, self.chat_id), "recalled")
        self.wire.keep_frames("event_reaction_and_recall")

    def check_ws_fragments(self) -> None:
        """an event in pieces, cut inside characters and out of order, is put together"""
        # Odd, and shorter than the text, so that some cut falls inside one of its three-byte characters.
        self.faults(fragment_bytes=97, reorder=1.0)
        text = "连接池已满，数据库没有空闲连接。" * 12
        try:
            message_id = self.say(text, mention_bot=True)
            message = self.inbox.message(message_id).event.message
            equal(json.loads(message.content)["text"], f"@_user_1 {text}", "text")
        finally:
            self.faults()
        frames = self.wire.frames_of_check("received", DATA)
        places = [int(header.value) for frame in frames for header in frame.headers if header.key == "seq"]
        assert len(places) > 5, f"only {len(places)} pieces"
        assert places != sorted(places), "the pieces came in order"
        assert any(_is_cut(frame.payload) for frame in frames), "no piece ends inside a character"
        self.wire.keep_frames("event_fragments")
        self.wire.keep_frames("ack_fragments", "sent")

    def check_ws_redelivery(self) -> None:
        """an event whose handler failed comes again after 15 s with the same id"""
        self.inbox.fail_once_on = "try again"
        failures = self.inbox.failures
        message_id = self.say("please try again", mention_bot=True)
        wait_until("the failure", lambda: self.inbox.failures > failures)
        equal(self.inbox.messages(message_id), [], "events before the time")
        failed = lambda: [
            one
            for one in self.sandbox.get("deliveries")["deliveries"][-1:]
            if one["acked_ms"] is None and one.get("failure")
        ]
        first = wait_until("the answer 500", failed)[0]
        self.advance(15)
        event = self.inbox.message(message_id)
        equal(event.header.event_id, first["event_id"], "event_id")
        tries = self.acknowledged(first["event_id"], attempts=2)
        equal([one["attempt"] for one in tries], [1, 2], "attempts")
        self.wire.keep_frames("event_redelivered")
        self.wire.keep_frames("ack_failed_then_done", "sent")

    def check_ws_duplicate(self) -> None:
        """an event can come twice, though it was acknowledged"""
        self.faults(duplicate_rate=1.0)
        try:
            message_id = self.say("once or twice?", mention_bot=True)
            twice = wait_until(
                "the second delivery",
                lambda: self.inbox.messages(message_id)[1:] and self.inbox.messages(message_id),
            )
            equal(len({event.header.event_id for event in twice}), 1, "number of event ids")
        finally:
            self.faults()

    def check_ws_click(self) -> None:
        """a click reaches the SDK, and its toast reaches the person"""
        clicked = {"message_id": self.card_message, "operator": self.bob["open_id"], "button": "Acknowledge"}
        answer = self.sandbox.post("clicks", clicked)
        equal(answer["client_error"], None, "client_error")
        equal((answer["toast"]["type"], answer["toast"]["content"]), ("success", self.inbox.toast), "toast")
        event = self.inbox.all("card.action.trigger")[-1].event
        equal(
            (event.operator.open_id, event.action.value),
            (self.bob["open_id"], {"do": "ack"}),
            "operator and value",
        )
        equal(
            (event.context.open_message_id, event.context.open_chat_id),
            (self.card_message, self.chat_id),
            "context",
        )
        self.wire.keep_frames("event_click")
        self.wire.keep_frames("ack_click", "sent")

    def check_ws_drop(self) -> None:
        """after the connection was dropped the SDK connects again and receives what is said then"""
        self.connection.reconnected.clear()
        self.faults(drop_connection=1)
        assert self.connection.reconnected.wait(20), "the SDK did not connect again"
        wait_until("a connection", lambda: self.sandbox.get("state")["bot_connected"])
        message_id = self.say("are you back?", mention_bot=True)
        event = self.inbox.message(message_id)
        connections = [one["connection"] for one in self.acknowledged(event.header.event_id)]
        assert connections[0], "the delivery names no connection"


def _is_cut(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return True
    return False
