"""What a bot does over REST: send, reply, read, react, and fill a card."""

from __future__ import annotations

import json
import uuid

import lark_oapi as lark
from lark_oapi.api.cardkit.v1 import *
from lark_oapi.api.contact.v3 import BatchUserRequest, GetUserRequest
from lark_oapi.api.im.v1 import *

from harness import equal
from trial import Trial, button, card, good


class RestChecks(Trial):
    """They leave behind a message, a thread and a card, on which the later ones build."""

    def check_token(self) -> None:
        """a tenant token is handed out, and handed out again while it is good"""
        first, second = (self.token(self.app["app_secret"]) for _ in range(2))
        self.wire.keep_call("rest_token")
        equal((first["code"], second["code"]), (0, 0), "code")
        assert first["tenant_access_token"].startswith("t-"), first["tenant_access_token"]
        equal(second["tenant_access_token"], first["tenant_access_token"], "the second token")
        assert 0 < second["expire"] <= 7200, second["expire"]

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
        equal(
            (first.sender.id, first.sender.id_type, first.sender.sender_type),
            (self.app["app_id"], "app_id", "app"),
            "sender",
        )
        equal(json.loads(first.body.content), {"text": "hello from the SDK 你好"}, "content")
        said = [one for one in self.sandbox.messages(self.chat_id) if one["sender"]["type"] == "bot"]
        equal([one["text"] for one in said], ["hello from the SDK 你好"], "what people see")
        self.sent = first.message_id

    def check_send_mention(self) -> None:
        """a mention in a text that the bot sends comes back with its key and its open_id"""
        message = good(self.send("text", {"text": f'<at user_id="{self.bob["open_id"]}">Bob</at> look'}))
        self.wire.keep_call("rest_send_mention")
        equal(json.loads(message.body.content)["text"], "@_user_1 look", "text")
        mention = message.mentions[0]
        equal(
            (mention.key, mention.id, mention.id_type, mention.name),
            ("@_user_1", self.bob["open_id"], "open_id", "Bob"),
            "mention",
        )

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
        equal(
            ids, [one for one in reversed(seen) if one != self.thread_reply.message_id], "the listed messages"
        )
        assert pages > 1, "one page only"

    def check_list_thread(self) -> None:
        """a thread's history has its replies"""
        items = good(self.list("thread", self.thread_reply.thread_id)).items
        assert self.thread_reply.message_id in [item.message_id for item in items], items
        equal({item.thread_id for item in items}, {self.thread_reply.thread_id}, "thread_id")

    def check_get(self) -> None:
        """one message can be read by its id"""
        items = good(
            self.client.im.v1.message.get(GetMessageRequest.builder().message_id(self.sent).build())
        ).items
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
        equal(
            (added.operator.operator_id, added.operator.operator_type),
            (self.app["app_id"], "app"),
            "operator",
        )
        listed = good(self.reactions()).items
        self.wire.keep_call("rest_list_reactions")
        equal(
            [(one.reaction_id, one.reaction_type.emoji_type) for one in listed],
            [(added.reaction_id, "Typing")],
            "reactions",
        )
        equal([one["emoji_type"] for one in self.seen(self.sent)["reactions"]], ["Typing"], "what people see")
        request = DeleteMessageReactionRequest.builder().message_id(self.sent).reaction_id(added.reaction_id)
        good(self.client.im.v1.message_reaction.delete(request.build()))
        self.wire.keep_call("rest_remove_reaction")
        equal(good(self.reactions()).items or [], [], "reactions afterwards")

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

    def check_replace_card(self) -> None:
        """a whole card is replaced, and its buttons are what people see"""
        new = card("The pool is exhausted.", streaming=False)
        new["body"]["elements"].append(button("Acknowledge", {"do": "ack"}))
        entity = Card.builder().type("card_json").data(json.dumps(new)).build()
        body = UpdateCardRequestBody.builder().card(entity).sequence(5).uuid(str(uuid.uuid4())).build()
        request = UpdateCardRequest.builder().card_id(self.card_id).request_body(body).build()
        good(self.client.cardkit.v1.card.update(request))
        self.wire.keep_call("rest_replace_card")
        equal(
            [one["text"] for one in self.seen(self.card_message)["card"]["buttons"]],
            ["Acknowledge"],
            "buttons",
        )

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
        request = (
            GetChatMembersRequest.builder()
            .chat_id(self.chat_id)
            .member_id_type("open_id")
            .page_size(50)
            .build()
        )
        members = good(self.client.im.v1.chat_members.get(request)).items
        self.wire.keep_call("rest_chat_members")
        named = {member.member_id: member.name for member in members}
        equal(named, {self.ada["open_id"]: "Ada 李", self.bob["open_id"]: "Bob"}, "members")

    def check_users(self) -> None:
        """users can be read one by one and in a batch"""
        user = good(
            self.client.contact.v3.user.get(
                GetUserRequest.builder().user_id(self.ada["open_id"]).user_id_type("open_id").build()
            )
        ).user
        self.wire.keep_call("rest_get_user")
        equal((user.open_id, user.name), (self.ada["open_id"], "Ada 李"), "user")
        ids = [self.ada["open_id"], self.bob["open_id"]]
        items = good(
            self.client.contact.v3.user.batch(
                BatchUserRequest.builder().user_ids(ids).user_id_type("open_id").build()
            )
        ).items
        self.wire.keep_call("rest_batch_users")
        equal({item.open_id: item.name for item in items}, dict(zip(ids, ["Ada 李", "Bob"])), "users")
