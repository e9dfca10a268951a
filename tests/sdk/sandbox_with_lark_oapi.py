"""The vendor's own Python SDK, unchanged, against Nightjar's sandbox.

The sandbox was written from notes about the platform, and so was our client: both could share one misreading.
The SDK was written by those who run the platform, so what it can do with the sandbox is the proof.

    python tests/sdk/sandbox_with_lark_oapi.py --nightjar target/debug/nightjar [--record DIR]

Each check prints a line; the last line counts them. With `--record`, DIR gets everything that crossed the wire
(`wire.jsonl`) and the chosen recordings (`fixtures/`), which stand in `tests/data/` for the Rust decoding tests.
The clock of the sandbox is moved instead of waiting, both for redeliveries and for rate limits.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import sys
import threading
import uuid
from typing import Any, Callable, Optional

import lark_oapi as lark
import lark_oapi.ws.client as sdk_ws
from lark_oapi.api.auth.v3 import *
from lark_oapi.api.cardkit.v1 import *
from lark_oapi.api.contact.v3 import BatchUserRequest, GetUserRequest
from lark_oapi.api.im.v1 import *
from lark_oapi.core.exception import ObtainAccessTokenException
from lark_oapi.core.model.error import Error
from lark_oapi.core.token import TokenManager
from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse
from lark_oapi.ws.exception import ClientException

from harness import Checks, Sandbox, equal, wait_until
from wire import CONTROL, DATA, Wire

# Without these the SDK would wait up to 30 s before it connects again; real servers tell other numbers.
PACE = {"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": 120}


class Inbox:
    """The events that the SDK handed to the bot. Handlers run on the SDK's thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Any] = []
        self.fail_once_on: Optional[str] = None
        self.failures = 0
        self.toast = "Acknowledged by the SDK"

    def handler(self) -> lark.EventDispatcherHandler:
        """One handler for every event that the sandbox sends: the SDK answers 500 to what it has none for."""
        builder = lark.EventDispatcherHandler.builder("", "")
        for register in (
            builder.register_p2_im_message_receive_v1,
            builder.register_p2_im_message_recalled_v1,
            builder.register_p2_im_message_reaction_created_v1,
            builder.register_p2_im_message_reaction_deleted_v1,
            builder.register_p2_im_chat_member_bot_added_v1,
            builder.register_p2_im_chat_member_user_added_v1,
            builder.register_p2_im_chat_access_event_bot_p2p_chat_entered_v1,
        ):
            register(self._take)
        return builder.register_p2_card_action_trigger(self._clicked).build()

    def _take(self, event: Any) -> None:
        with self._changed:
            content = getattr(getattr(event.event, "message", None), "content", None) or ""
            if self.fail_once_on and self.fail_once_on in content:
                self.fail_once_on = None
                self.failures += 1
                self._changed.notify_all()
                raise RuntimeError("this handler fails on purpose")
            self._events.append(event)
            self._changed.notify_all()

    def _clicked(self, event: Any) -> P2CardActionTriggerResponse:
        self._take(event)
        return P2CardActionTriggerResponse({"toast": {"type": "success", "content": self.toast}})

    def all(self, event_type: str) -> list[Any]:
        """The events of a type so far."""
        with self._changed:
            return [event for event in self._events if event.header.event_type == event_type]

    def message(self, message_id: str) -> Any:
        """Waits for the event of one message."""
        return wait_until(f"the event of {message_id}", lambda: next(iter(self.messages(message_id)), None))

    def messages(self, message_id: str) -> list[Any]:
        """Every delivery of one message."""
        received = self.all("im.message.receive_v1")
        return [event for event in received if event.event.message.message_id == message_id]


class LongConnection:
    """The SDK's own WebSocket client, on a thread, since its `start` never returns and it has no `stop`."""

    def __init__(self, app: dict[str, str], base_url: str, inbox: Inbox) -> None:
        self.client = lark.ws.Client(
            app["app_id"],
            app["app_secret"],
            event_handler=inbox.handler(),
            domain=base_url,
            log_level=lark.LogLevel.CRITICAL,
        )
        self.reconnected = threading.Event()
        self.client.on_reconnected = self.reconnected.set
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(sdk_ws.loop)
        try:
            self.client.start()
        except asyncio.CancelledError:
            pass  # that is how `stop` ends it

    def stop(self) -> None:
        """Closes the socket, and ends every task on the loop that the SDK made when it was imported."""
        if not self._thread.is_alive():
            return

        async def end() -> None:
            socket, self.client._conn = self.client._conn, None
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            if socket is not None:
                await socket.close()

        asyncio.run_coroutine_threadsafe(end(), sdk_ws.loop)
        self._thread.join(5)


class Trial:
    """One sandbox, one SDK client, and the checks in the order in which they stand here."""

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
        """Every method whose name begins with `check_`; its documentation is the name of the check."""
        named = [name for name in type(self).__dict__ if name.startswith("check_")]
        return [(getattr(type(self), name).__doc__, getattr(self, name)) for name in named]

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

    # ---- the REST half -------------------------------------------------------------------------------------------

    def check_token(self) -> None:
        """a tenant token is handed out, and handed out again while it is good"""
        first, second = (self.token(self.app["app_secret"]) for _ in range(2))
        self.wire.keep_call("rest_token")
        equal((first["code"], second["code"]), (0, 0), "code")
        assert first["tenant_access_token"].startswith("t-"), first["tenant_access_token"]
        equal(second["tenant_access_token"], first["tenant_access_token"], "the second token")
        assert 0 < second["expire"] <= 7200, second["expire"]

    def token(self, secret: str) -> dict[str, Any]:
        """The SDK's class for this answer has no token in it, since the answer is flat: the raw one has."""
        body = InternalTenantAccessTokenRequestBody.builder().app_id(self.app["app_id"]).app_secret(secret).build()
        request = InternalTenantAccessTokenRequest.builder().request_body(body).build()
        return json.loads(self.client.auth.v3.tenant_access_token.internal(request).raw.content)

    def check_bot_info(self) -> None:
        """the bot learns its own open_id and name"""
        request = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET).uri("/open-apis/bot/v3/info")
        response = self.client.request(request.token_types({lark.AccessTokenType.TENANT}).build())
        self.wire.keep_call("rest_bot_info")
        assert response.success(), (response.code, response.msg)
        bot = json.loads(response.raw.content)["bot"]
        equal(bot["open_id"], self.app["open_id"], "open_id")
        equal(bot["activate_status"], 2, "activate_status")
        assert bot["app_name"], bot

    def check_send(self) -> None:
        """a text is sent once, also when the call is repeated with its uuid"""
        repeat = str(uuid.uuid4())
        first = good(self.send("text", {"text": "hello from the SDK 你好"}, repeat))
        self.wire.keep_call("rest_send_text")
        again = good(self.send("text", {"text": "hello from the SDK 你好"}, repeat))
        equal(again.message_id, first.message_id, "the repeated message_id")
        equal((first.chat_id, first.msg_type), (self.chat_id, "text"), "chat_id and msg_type")
        equal((first.sender.id, first.sender.id_type, first.sender.sender_type), (self.app["app_id"], "app_id", "app"), "sender")
        equal(json.loads(first.body.content), {"text": "hello from the SDK 你好"}, "content")
        said = [one for one in self.sandbox.messages(self.chat_id) if one["sender"]["type"] == "bot"]
        equal([one["text"] for one in said], ["hello from the SDK 你好"], "what people see")
        self.sent = first.message_id

    def send(self, msg_type: str, content: Any, key: Optional[str] = None, to: Optional[str] = None) -> Any:
        self.advance(1)  # five messages a second into one chat are allowed
        body = CreateMessageRequestBody.builder().receive_id(to or self.chat_id).msg_type(msg_type)
        body = body.content(json.dumps(content, ensure_ascii=False)).uuid(key or str(uuid.uuid4())).build()
        id_type = "open_id" if to else "chat_id"
        return self.client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type(id_type).request_body(body).build()
        )

    def check_send_mention(self) -> None:
        """a mention in a text that the bot sends comes back with its key and its open_id"""
        message = good(self.send("text", {"text": f'<at user_id="{self.bob["open_id"]}">Bob</at> look'}))
        self.wire.keep_call("rest_send_mention")
        equal(json.loads(message.body.content)["text"], "@_user_1 look", "text")
        mention = message.mentions[0]
        equal((mention.key, mention.id, mention.id_type, mention.name), ("@_user_1", self.bob["open_id"], "open_id", "Bob"), "mention")

    def check_send_to_person(self) -> None:
        """a message to a person's open_id tells the chat_id of the direct chat"""
        message = good(self.send("text", {"text": "just you"}, to=self.bob["open_id"]))
        assert message.chat_id.startswith("oc_") and message.chat_id != self.chat_id, message.chat_id
        equal(self.sandbox.message(message.chat_id, message.message_id)["text"], "just you", "what Bob sees")

    def check_reply(self) -> None:
        """a reply quotes its parent, and one in a thread has a thread_id"""
        question = self.say("what is going on?")
        reply = good(self.reply(question, "a quote"))
        self.wire.keep_call("rest_reply")
        equal((reply.parent_id, reply.root_id), (question, question), "parent_id and root_id")
        self.root, self.thread_reply = question, good(self.reply(question, "in a thread", in_thread=True))
        self.wire.keep_call("rest_reply_in_thread")
        assert self.thread_reply.thread_id.startswith("omt_"), self.thread_reply.thread_id

    def reply(self, to: str, text: str, in_thread: bool = False) -> Any:
        self.advance(1)
        body = ReplyMessageRequestBody.builder().msg_type("text").content(json.dumps({"text": text}))
        body = body.reply_in_thread(in_thread).uuid(str(uuid.uuid4())).build()
        return self.client.im.v1.message.reply(
            ReplyMessageRequest.builder().message_id(to).request_body(body).build()
        )

    def check_list(self) -> None:
        """the history comes newest first, page by page, each message once"""
        self.say("one with a mention", mention_bot=True)
        ids, token, pages = [], None, 0
        while pages < 20:
            page = good(self.list("chat", self.chat_id, token))
            if pages == 0:
                self.wire.keep_call("rest_list_messages")
                mine = next(item for item in page.items if item.sender.sender_type == "user")
                equal((mine.sender.id, mine.sender.id_type), (self.ada["open_id"], "open_id"), "sender")
                equal(mine.mentions[0].key, "@_user_1", "key of the mention")
                assert isinstance(mine.mentions[0].id, str) and len(mine.create_time) == 13, vars(mine)
            ids += [item.message_id for item in page.items]
            pages, token = pages + 1, page.page_token
            if not page.has_more:
                break
        seen = [one["message_id"] for one in self.sandbox.messages(self.chat_id)]
        # The history of a chat has a thread's root and leaves out its replies.
        equal(ids, [one for one in reversed(seen) if one != self.thread_reply.message_id], "the listed messages")
        assert pages > 1, "one page only"

    def list(self, kind: str, container: str, token: Optional[str] = None) -> Any:
        request = ListMessageRequest.builder().container_id_type(kind).container_id(container).page_size(3)
        request = request.sort_type("ByCreateTimeDesc")
        return self.client.im.v1.message.list((request.page_token(token) if token else request).build())

    def check_list_thread(self) -> None:
        """a thread's history has its replies"""
        items = good(self.list("thread", self.thread_reply.thread_id)).items
        assert self.thread_reply.message_id in [item.message_id for item in items], items
        equal({item.thread_id for item in items}, {self.thread_reply.thread_id}, "thread_id")

    def check_get(self) -> None:
        """one message can be read by its id"""
        items = good(self.client.im.v1.message.get(GetMessageRequest.builder().message_id(self.sent).build())).items
        self.wire.keep_call("rest_get_message")
        equal([item.message_id for item in items], [self.sent], "message_id")
        equal(items[0].deleted, False, "deleted")

    def check_recalled(self) -> None:
        """a recalled message stays in the list, marked as deleted"""
        message_id = self.say("forget it")
        self.sandbox.post(f"messages/{message_id}/recall", {})
        newest = good(self.list("chat", self.chat_id)).items[0]
        self.wire.keep_call("rest_list_recalled")
        equal((newest.message_id, newest.deleted), (message_id, True), "newest message")

    def check_reactions(self) -> None:
        """a reaction is added, listed as ours, and removed"""
        added = good(self.react("Typing"))
        self.wire.keep_call("rest_add_reaction")
        equal((added.operator.operator_id, added.operator.operator_type), (self.app["app_id"], "app"), "operator")
        listed = good(self.reactions()).items
        self.wire.keep_call("rest_list_reactions")
        equal([(one.reaction_id, one.reaction_type.emoji_type) for one in listed], [(added.reaction_id, "Typing")], "reactions")
        equal([one["emoji_type"] for one in self.seen(self.sent)["reactions"]], ["Typing"], "what people see")
        request = DeleteMessageReactionRequest.builder().message_id(self.sent).reaction_id(added.reaction_id)
        good(self.client.im.v1.message_reaction.delete(request.build()))
        self.wire.keep_call("rest_remove_reaction")
        equal(good(self.reactions()).items or [], [], "reactions afterwards")

    def react(self, emoji: str) -> Any:
        body = CreateMessageReactionRequestBody.builder().reaction_type(Emoji.builder().emoji_type(emoji).build()).build()
        request = CreateMessageReactionRequest.builder().message_id(self.sent).request_body(body)
        return self.client.im.v1.message_reaction.create(request.build())

    def reactions(self) -> Any:
        return self.client.im.v1.message_reaction.list(ListMessageReactionRequest.builder().message_id(self.sent).build())

    def check_card(self) -> None:
        """a card entity is created, sent, filled while it streams, and closed"""
        self.card_id = good(self.create_card(card("…"))).card_id
        self.wire.keep_call("rest_create_card")
        sent = good(self.send("interactive", {"type": "card", "data": {"card_id": self.card_id}}))
        self.wire.keep_call("rest_send_card")
        self.card_message = sent.message_id
        assert self.seen(sent.message_id)["card"]["streaming"], "it does not stream"
        text = ""
        for sequence, piece in enumerate(["The pool ", "is exhausted. ", "连接池已满。"], start=1):
            text += piece
            good(self.stream(text, sequence))
            assert text in self.seen(sent.message_id)["text"], self.seen(sent.message_id)["text"]
        self.wire.keep_call("rest_stream_text")
        good(self.settings({"streaming_mode": False, "summary": {"content": "The pool is exhausted."}}, 4))
        self.wire.keep_call("rest_card_settings")
        seen = self.seen(sent.message_id)
        equal((seen["card"]["streaming"], seen["card"]["sequence"]), (False, 4), "streaming and sequence")
        equal(seen["card"]["card_id"], self.card_id, "card_id")
        assert text in seen["text"], seen["text"]

    def create_card(self, json_card: dict[str, Any]) -> Any:
        body = CreateCardRequestBody.builder().type("card_json").data(json.dumps(json_card, ensure_ascii=False)).build()
        return self.client.cardkit.v1.card.create(CreateCardRequest.builder().request_body(body).build())

    def stream(self, text: str, sequence: int, card_id: Optional[str] = None, element: str = "answer") -> Any:
        body = ContentCardElementRequestBody.builder().content(text).sequence(sequence).uuid(str(uuid.uuid4())).build()
        request = ContentCardElementRequest.builder().card_id(card_id or self.card_id).element_id(element)
        return self.client.cardkit.v1.card_element.content(request.request_body(body).build())

    def settings(self, config: dict[str, Any], sequence: int) -> Any:
        body = SettingsCardRequestBody.builder().settings(json.dumps({"config": config})).sequence(sequence)
        request = SettingsCardRequest.builder().card_id(self.card_id).request_body(body.uuid(str(uuid.uuid4())).build())
        return self.client.cardkit.v1.card.settings(request.build())

    def check_replace_card(self) -> None:
        """a whole card is replaced, and its buttons are what people see"""
        new = card("The pool is exhausted.", streaming=False)
        new["body"]["elements"].append(button("Acknowledge", {"do": "ack"}))
        entity = Card.builder().type("card_json").data(json.dumps(new)).build()
        body = UpdateCardRequestBody.builder().card(entity).sequence(5).uuid(str(uuid.uuid4())).build()
        request = UpdateCardRequest.builder().card_id(self.card_id).request_body(body).build()
        good(self.client.cardkit.v1.card.update(request))
        self.wire.keep_call("rest_replace_card")
        equal([one["text"] for one in self.seen(self.card_message)["card"]["buttons"]], ["Acknowledge"], "buttons")

    def check_own_card_in_history(self) -> None:
        """a card entity in the history is no more than a hint to upgrade"""
        items = good(self.list("chat", self.chat_id)).items
        self.wire.keep_call("rest_list_with_card")
        content = next(item.body.content for item in items if item.message_id == self.card_message)
        assert "exhausted" not in content, content
        assert isinstance(json.loads(content)["elements"], list), content

    def check_chat(self) -> None:
        """the chat, its members and their names can be read"""
        chat = good(self.client.im.v1.chat.get(GetChatRequest.builder().chat_id(self.chat_id).build()))
        self.wire.keep_call("rest_get_chat")
        equal((chat.name, chat.chat_mode), ("SDK 测试", "group"), "name and chat_mode")
        equal(str(chat.user_count), "2", "user_count")
        request = GetChatMembersRequest.builder().chat_id(self.chat_id).member_id_type("open_id").page_size(50).build()
        members = good(self.client.im.v1.chat_members.get(request)).items
        self.wire.keep_call("rest_chat_members")
        named = {member.member_id: member.name for member in members}
        equal(named, {self.ada["open_id"]: "Ada 李", self.bob["open_id"]: "Bob"}, "members")

    def check_users(self) -> None:
        """users can be read one by one and in a batch"""
        user = good(self.client.contact.v3.user.get(GetUserRequest.builder().user_id(self.ada["open_id"]).user_id_type("open_id").build())).user
        self.wire.keep_call("rest_get_user")
        equal((user.open_id, user.name), (self.ada["open_id"], "Ada 李"), "user")
        ids = [self.ada["open_id"], self.bob["open_id"]]
        items = good(self.client.contact.v3.user.batch(BatchUserRequest.builder().user_ids(ids).user_id_type("open_id").build())).items
        self.wire.keep_call("rest_batch_users")
        equal({item.open_id: item.name for item in items}, dict(zip(ids, ["Ada 李", "Bob"])), "users")

    # ---- refusals ------------------------------------------------------------------------------------------------

    def refused(self, response: Any, code: int, name: Optional[str] = None) -> Any:
        """Asserts that the SDK's own fields tell of the refusal."""
        if name:
            self.wire.keep_call(name)
        equal((response.success(), response.code), (False, code), "success and code")
        assert response.msg, "there is no msg"
        assert response.get_log_id(), f"the SDK finds no log id in {response.raw.headers}"
        return response

    def check_wrong_secret(self) -> None:
        """a wrong secret is refused by the token endpoint, and the SDK raises"""
        equal(self.token("wrong")["code"], 10014, "code")
        self.wire.keep_call("rest_refused_secret")
        TokenManager.cache.set(f"self_tenant_token:{self.app['app_id']}", "", 0)
        try:
            self._client("wrong").im.v1.chat.get(GetChatRequest.builder().chat_id(self.chat_id).build())
        except ObtainAccessTokenException as error:
            equal(error.code, 10014, "code of the exception")
        else:
            raise AssertionError("the SDK got a token with a wrong secret")

    def check_wrong_token(self) -> None:
        """an invalid token is refused with 99991663"""
        builder = lark.Client.builder().enable_set_token(True).domain(self.sandbox.base_url)
        client = builder.log_level(lark.LogLevel.CRITICAL).build()
        option = lark.RequestOption.builder().tenant_access_token("t-no-such-token").build()
        request = GetChatRequest.builder().chat_id(self.chat_id).build()
        self.refused(client.im.v1.chat.get(request, option), 99991663, "rest_refused_token")

    def check_raw_refusal(self) -> None:
        """a refusal of an untyped request has its code, msg and log id too"""
        uri = f"/open-apis/im/v1/messages/{self.sent}/reactions"
        request = lark.BaseRequest.builder().http_method(lark.HttpMethod.POST).uri(uri)
        request = request.body({"reaction_type": {"emoji_type": "ROBOT"}}).token_types({lark.AccessTokenType.TENANT})
        self.refused(self.client.request(request.build()), 231001)

    def check_emoji(self) -> None:
        """an emoji that does not exist is refused with 231001"""
        self.refused(self.react("EYES"), 231001, "rest_refused_emoji")

    def check_no_message(self) -> None:
        """a reply to a message that does not exist is refused"""
        self.wire.begin("a reply to nothing")
        response = self.reply("om_0123456789abcdef0123456789abcdef", "hello?")
        self.wire.keep_call("rest_refused_message")
        assert not response.success() and response.code in (230001, 99992354), response.code

    def check_scope(self) -> None:
        """a missing scope is refused with 99991672, its name and the link to grant it"""
        self.faults(refuse_scopes=["im:message.reactions:read", "im:message:readonly"])
        try:
            response = self.refused(self.reactions(), 99991672, "rest_refused_scope")
        finally:
            self.faults()
        error = Error(response.error)  # the SDK has the class, and leaves a dictionary in its place
        subjects = [one.subject for one in error.permission_violations]
        assert "im:message.reactions:read" in subjects, subjects
        assert self.app["app_id"] in error.helps[0].url, error.helps[0].url
        equal(error.log_id, response.get_log_id(), "log id in the body")

    def check_streaming_refusals(self) -> None:
        """cards refuse a low sequence, a closed stream, an unknown element and unknown properties"""
        self.refused(self.stream("too late", 6), 300309, "rest_refused_closed")
        good(self.settings({"streaming_mode": True}, 7))
        self.refused(self.stream("too low", 7), 300317, "rest_refused_sequence")
        self.refused(self.stream("where?", 8, element="nowhere"), 300313, "rest_refused_element")
        self.advance(601)
        self.refused(self.stream("ten minutes are over", 9), 200850, "rest_refused_timeout")
        bad = card("…") | {"surprise": True}
        response = self.create_card(bad)
        self.wire.keep_call("rest_refused_property")
        assert not response.success() and response.code, "a card with an unknown property is taken"

    def check_card_sent_twice(self) -> None:
        """a card entity can be sent once only"""
        response = self.send("interactive", {"type": "card", "data": {"card_id": self.card_id}})
        assert not response.success(), "it was sent twice"

    def check_chat_limit(self) -> None:
        """the sixth message within a second into one chat is refused with 230020"""
        chat_id = self.sandbox.post("chats", {"name": "busy", "members": [self.ada["open_id"]]})["chat_id"]
        body = lambda: CreateMessageRequestBody.builder().receive_id(chat_id).msg_type("text").content('{"text":"x"}').uuid(str(uuid.uuid4())).build()
        send = lambda: self.client.im.v1.message.create(CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body()).build())
        self.advance(1)
        codes = [send().code for _ in range(6)]
        self.wire.keep_call("rest_refused_chat_limit")
        equal(codes, [0, 0, 0, 0, 0, 230020], "codes")
        self.advance(1)
        good(send())

    # ---- the long connection -------------------------------------------------------------------------------------

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
        equal((header.token, header.tenant_key), (self.app["verification_token"], self.app["tenant_key"]), "token and tenant")
        assert header.event_id and len(header.create_time) == 13, vars(header)
        equal((sender.sender_id.open_id, sender.sender_type), (self.ada["open_id"], "user"), "sender")
        equal((message.chat_id, message.chat_type, message.message_type), (self.chat_id, "group", "text"), "message")
        equal(json.loads(message.content)["text"], "@_user_1 @_user_2 what is going on? 出了什么事?", "text")
        equal([one.key for one in message.mentions], ["@_user_1", "@_user_2"], "keys")
        equal([one.id.open_id for one in message.mentions], [self.app["open_id"], self.bob["open_id"]], "mentioned")
        equal((message.thread_id, message.parent_id), (None, None), "thread_id and parent_id")
        self.acknowledged(header.event_id)
        self.wire.keep_frames("event_group_mention")
        self.wire.keep_frames("ack_group_mention", "sent")

    def acknowledged(self, event_id: str, attempts: int = 1) -> list[dict[str, Any]]:
        """Waits until the sandbox has the SDK's acknowledgement of the last attempt."""

        def done() -> Any:
            tries = [one for one in self.sandbox.get("deliveries")["deliveries"] if one["event_id"] == event_id]
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
        equal((message.thread_id, message.root_id), (self.thread_reply.thread_id, self.root), "thread_id and root_id")
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
        self.sandbox.post(f"messages/{message_id}/reactions", {"user": self.bob["open_id"], "emoji_type": "OK"})
        reaction = wait_until("the reaction", lambda: self.inbox.all("im.message.reaction.created_v1"))[-1].event
        equal((reaction.message_id, reaction.reaction_type.emoji_type), (message_id, "OK"), "reaction")
        equal((reaction.operator_type, reaction.user_id.open_id), ("user", self.bob["open_id"]), "who reacted")
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
        failed = lambda: [one for one in self.sandbox.get("deliveries")["deliveries"][-1:] if one["acked_ms"] is None and one.get("failure")]
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
            twice = wait_until("the second delivery", lambda: self.inbox.messages(message_id)[1:] and self.inbox.messages(message_id))
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
        equal((event.operator.open_id, event.action.value), (self.bob["open_id"], {"do": "ack"}), "operator and value")
        equal((event.context.open_message_id, event.context.open_chat_id), (self.card_message, self.chat_id), "context")
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

    def check_ws_stop(self) -> None:
        """the sandbox notices that the SDK has gone"""
        self.connection.stop()
        wait_until("the end of the connection", lambda: not self.sandbox.get("state")["bot_connected"])


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


def _is_cut(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary")
    parser.add_argument("--record", type=pathlib.Path, metavar="DIR", help="where to write what crossed the wire")
    arguments = parser.parse_args()
    checks, wire = Checks(), Wire()
    with Sandbox(arguments.nightjar, "--platform-only") as sandbox:
        trial = Trial(sandbox, wire)
        for name, check in trial.checks():
            wire.begin(name)
            checks.run(name, check)
        trial.connection.stop()
        if arguments.record:
            wire.write(arguments.record)
        if checks.failed:
            print(f"---- the sandbox said\n{sandbox.output()}----", file=sys.stderr)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
