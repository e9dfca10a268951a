"""One sandbox, one SDK client, and what the checks do with them."""

from __future__ import annotations

import json
import uuid
from typing import Any, Callable, Optional

import lark_oapi as lark
from lark_oapi.api.auth.v3 import InternalTenantAccessTokenRequest, InternalTenantAccessTokenRequestBody
from lark_oapi.api.cardkit.v1 import *
from lark_oapi.api.im.v1 import *

from harness import Sandbox
from long_connection import Inbox, LongConnection
from wire import Wire

# Without these the SDK would wait up to 30 s before it connects again; real servers tell other numbers.
PACE = {"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": 120}


class Trial:
    """A group with two people and the bot; the checks are methods of the classes made from this one."""

    def __init__(self, sandbox: Sandbox, wire: Wire) -> None:
        self.sandbox, self.wire = sandbox, wire
        self.state = sandbox.get("state")
        self.app = self.state["app"]
        self.inbox = Inbox()
        self.connection = LongConnection(self.app, sandbox.base_url, self.inbox)
        self.client = self._client(self.app["app_secret"])
        # A group of our own: the one that the sandbox opens with has a story in it.
        self.ada = sandbox.post("users", {"name": "Ada 李", "email": "ada@example.com"})
        self.bob = sandbox.post("users", {"name": "Bob"})
        members = [self.ada["open_id"], self.bob["open_id"]]
        self.chat_id = sandbox.post("chats", {"name": "SDK 测试", "members": members})["chat_id"]

    def _client(self, secret: str) -> lark.Client:
        builder = lark.Client.builder().app_id(self.app["app_id"]).app_secret(secret)
        return builder.domain(self.sandbox.base_url).log_level(lark.LogLevel.CRITICAL).timeout(20).build()

    def checks(self) -> list[tuple[str, Callable[[], None]]]:
        """Every method named `check_…`, those of a base class first, each with its documentation as its name."""
        named = {name: None for kind in reversed(type(self).__mro__) for name in vars(kind)}
        names = [name for name in named if name.startswith("check_")]
        return [(getattr(type(self), name).__doc__, getattr(self, name)) for name in names]

    def say(self, text: str, sender: Optional[dict[str, str]] = None, **more: Any) -> str:
        """Someone types; gives the message's id."""
        body = {"chat_id": self.chat_id, "sender": (sender or self.ada)["open_id"], "text": text}
        return self.sandbox.post("messages", body | more)["message_id"]

    def faults(self, **faults: Any) -> None:
        """Replaces the trouble that the sandbox makes; only the pace of reconnection always stays."""
        self.sandbox.post("faults", {"client_config": PACE} | faults)

    def advance(self, seconds: float) -> None:
        """Lets time pass for the sandbox."""
        self.sandbox.post("clock", {"advance_ms": int(seconds * 1000)})

    def seen(self, message_id: str) -> dict[str, Any]:
        """One message of the group as people see it."""
        return self.sandbox.message(self.chat_id, message_id)

    def token(self, secret: str) -> dict[str, Any]:
        """The SDK's class for this answer has no token in it, since the answer is flat: the raw one has."""
        body = (
            InternalTenantAccessTokenRequestBody.builder()
            .app_id(self.app["app_id"])
            .app_secret(secret)
            .build()
        )
        request = InternalTenantAccessTokenRequest.builder().request_body(body).build()
        return json.loads(self.client.auth.v3.tenant_access_token.internal(request).raw.content)

    def send(self, msg_type: str, content: Any, key: Optional[str] = None, to: Optional[str] = None) -> Any:
        """The bot says something in the group, or to one person."""
        self.advance(1)  # five messages a second into one chat are allowed
        body = CreateMessageRequestBody.builder().receive_id(to or self.chat_id).msg_type(msg_type)
        body = body.content(json.dumps(content, ensure_ascii=False)).uuid(key or str(uuid.uuid4())).build()
        id_type = "open_id" if to else "chat_id"
        return self.client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type(id_type).request_body(body).build()
        )

    def reply(self, to: str, text: str, in_thread: bool = False) -> Any:
        """The bot replies."""
        self.advance(1)
        body = ReplyMessageRequestBody.builder().msg_type("text").content(json.dumps({"text": text}))
        body = body.reply_in_thread(in_thread).uuid(str(uuid.uuid4())).build()
        return self.client.im.v1.message.reply(
            ReplyMessageRequest.builder().message_id(to).request_body(body).build()
        )

    def list(self, kind: str, container: str, token: Optional[str] = None) -> Any:
        """One page of a chat or a thread, newest first."""
        request = ListMessageRequest.builder().container_id_type(kind).container_id(container).page_size(3)
        request = request.sort_type("ByCreateTimeDesc")
        return self.client.im.v1.message.list((request.page_token(token) if token else request).build())

    def react(self, emoji: str) -> Any:
        """The bot reacts to what it sent first."""
        body = (
            CreateMessageReactionRequestBody.builder()
            .reaction_type(Emoji.builder().emoji_type(emoji).build())
            .build()
        )
        request = CreateMessageReactionRequest.builder().message_id(self.sent).request_body(body)
        return self.client.im.v1.message_reaction.create(request.build())

    def reactions(self) -> Any:
        """The reactions on what it sent first."""
        return self.client.im.v1.message_reaction.list(
            ListMessageReactionRequest.builder().message_id(self.sent).build()
        )

    def create_card(self, json_card: dict[str, Any]) -> Any:
        """Makes a card entity."""
        body = (
            CreateCardRequestBody.builder()
            .type("card_json")
            .data(json.dumps(json_card, ensure_ascii=False))
            .build()
        )
        return self.client.cardkit.v1.card.create(CreateCardRequest.builder().request_body(body).build())

    def stream(self, text: str, sequence: int, card_id: Optional[str] = None, element: str = "answer") -> Any:
        """Writes into an element of a card entity."""
        body = (
            ContentCardElementRequestBody.builder()
            .content(text)
            .sequence(sequence)
            .uuid(str(uuid.uuid4()))
            .build()
        )
        request = ContentCardElementRequest.builder().card_id(card_id or self.card_id).element_id(element)
        return self.client.cardkit.v1.card_element.content(request.request_body(body).build())

    def settings(self, config: dict[str, Any], sequence: int) -> Any:
        """Changes the settings of the card that the checks share."""
        body = SettingsCardRequestBody.builder().settings(json.dumps({"config": config})).sequence(sequence)
        request = (
            SettingsCardRequest.builder()
            .card_id(self.card_id)
            .request_body(body.uuid(str(uuid.uuid4())).build())
        )
        return self.client.cardkit.v1.card.settings(request.build())


def good(response: Any) -> Any:
    """The data of a call that must have worked; some answers have none."""
    assert response.success(), f"refused with {response.code}: {response.msg}"
    return getattr(response, "data", None)


def card(text: str, streaming: bool = True) -> dict[str, Any]:
    """A card 2.0 with one element that can be streamed into."""
    return {
        "schema": "2.0",
        "config": {"streaming_mode": streaming, "summary": {"content": "…"}},
        "body": {"elements": [{"tag": "markdown", "element_id": "answer", "content": text}]},
    }


def button(text: str, value: dict[str, Any]) -> dict[str, Any]:
    """A button that calls back."""
    behaviors = [{"type": "callback", "value": value}]
    return {"tag": "button", "text": {"tag": "plain_text", "content": text}, "behaviors": behaviors}
