"""Groups that the bot makes, pins, buzzes, and people looked up: what war rooms and linked users need."""

from __future__ import annotations

from typing import Any

import lark_oapi as lark
from lark_oapi.api.contact.v3 import BatchGetIdUserRequest, BatchGetIdUserRequestBody
from lark_oapi.api.im.v1 import *

from connection_checks import ConnectionChecks
from harness import equal, wait_until
from trial import card, good


class GroupChecks(ConnectionChecks):
    """They use the people of the checks before them, a group of their own, and the connection, which they end."""

    def make(self, key: str) -> Any:
        """The bot makes a group with Ada in it."""
        body = CreateChatRequestBody.builder().name("INC-1 结算变慢").description("p99 is 4.2 s")
        body = body.user_id_list([self.ada["open_id"]]).build()
        request = CreateChatRequest.builder().user_id_type("open_id").set_bot_manager(True).uuid(key)
        return self.client.im.v1.chat.create(request.request_body(body).build())

    def told(self, event_type: str) -> Any:
        """The newest event of a type that is about the group."""

        def newest() -> Any:
            events = [one for one in self.inbox.all(event_type) if one.event.chat_id == self.room]
            return events[-1] if events else None

        return wait_until(f"{event_type} of the group", newest)

    def check_group_create(self) -> None:
        """a group is made, once for one uuid, and belongs to the bot"""
        first, again = good(self.make("inc-1")), good(self.make("inc-1"))
        equal(again.chat_id, first.chat_id, "the chat of the repeated uuid")
        equal((first.name, first.description), ("INC-1 结算变慢", "p99 is 4.2 s"), "name and description")
        equal(first.owner_id, None, "owner_id")
        self.room = first.chat_id

    def check_group_get(self) -> None:
        """the new group can be read, and is in the list of groups"""
        chat = good(self.client.im.v1.chat.get(GetChatRequest.builder().chat_id(self.room).build()))
        equal((chat.user_count, chat.edit_permission), ("1", "all_members"), "user_count and edit_permission")
        page, found = None, []
        while page is None or page.has_more:
            request = ListChatRequest.builder().page_size(2)
            request = request.page_token(page.page_token) if page else request
            page = good(self.client.im.v1.chat.list(request.build()))
            found += [one.chat_id for one in page.items]
        assert self.room in found, found

    def check_group_members(self) -> None:
        """people are added, and who cannot be added is listed"""
        gone = self.sandbox.post("users", {"name": "Gone"})["open_id"]
        self.sandbox.post(f"users/{gone}", {"left": True})
        body = CreateChatMembersRequestBody.builder().id_list([self.bob["open_id"], gone, "ou_nobody"]).build()
        request = CreateChatMembersRequest.builder().chat_id(self.room).member_id_type("open_id").succeed_type(1)
        done = good(self.client.im.v1.chat_members.create(request.request_body(body).build()))
        equal((done.invalid_id_list, done.not_existed_id_list), ([gone], ["ou_nobody"]), "who was not added")
        event = self.told("im.chat.member.user.added_v1").event
        equal([one.name for one in event.users], ["Bob"], "who came")
        equal(event.operator_id.open_id, self.app["open_id"], "who added them")

    def check_group_is_in(self) -> None:
        """the bot is in its group"""
        request = IsInChatChatMembersRequest.builder().chat_id(self.room).build()
        equal(good(self.client.im.v1.chat_members.is_in_chat(request)).is_in_chat, True, "is_in_chat")

    def check_group_update(self) -> None:
        """the group gets another name, and the event has the old one and the new one"""
        body = UpdateChatRequestBody.builder().name("INC-1 结算变慢 (critical)").build()
        good(self.client.im.v1.chat.update(UpdateChatRequest.builder().chat_id(self.room).request_body(body).build()))
        event = self.told("im.chat.updated_v1").event
        names = (event.before_change.name, event.after_change.name)
        equal(names, ("INC-1 结算变慢", "INC-1 结算变慢 (critical)"), "names")

    def check_group_pin(self) -> None:
        """a message is pinned, listed, and taken off again"""
        said = good(self.send("text", {"text": "the plan"}))
        pin = CreatePinRequestBody.builder().message_id(said.message_id).build()
        pinned = good(self.client.im.v1.pin.create(CreatePinRequest.builder().request_body(pin).build())).pin
        equal((pinned.message_id, pinned.operator_id_type), (said.message_id, "app_id"), "pin")
        listing = lambda: self.client.im.v1.pin.list(ListPinRequest.builder().chat_id(self.chat_id).build())
        equal([one.message_id for one in good(listing()).items], [said.message_id], "pins")
        good(self.client.im.v1.pin.delete(DeletePinRequest.builder().message_id(said.message_id).build()))
        equal(good(listing()).items or [], [], "pins afterwards")

    def check_group_urgent(self) -> None:
        """people are buzzed once the scope is granted, and who cannot be is listed"""
        receivers = UrgentReceivers.builder().user_id_list([self.ada["open_id"], "ou_nobody"]).build()
        request = UrgentAppMessageRequest.builder().message_id(self.sent).user_id_type("open_id")
        buzz = lambda: self.client.im.v1.message.urgent_app(request.request_body(receivers).build())
        self.refused(buzz(), 99991672)
        self.faults(console={"grant_scopes": ["im:message.urgent:app_send"]})
        equal(good(buzz()).invalid_user_id_list, ["ou_nobody"], "who cannot be buzzed")
        equal([one["name"] for one in self.seen(self.sent)["urgent"]], ["Ada 李"], "who was buzzed")
        self.faults()

    def check_group_ephemeral(self) -> None:
        """a card is shown to one member only; the SDK has no class for it"""
        body = {"chat_id": self.room, "open_id": self.ada["open_id"], "msg_type": "interactive", "card": card("hush", False)}
        request = lark.BaseRequest.builder().http_method(lark.HttpMethod.POST).uri("/open-apis/ephemeral/v1/send")
        response = self.client.request(request.body(body).token_types({lark.AccessTokenType.TENANT}).build())
        assert response.success(), (response.code, response.msg)
        seen = self.sandbox.messages(self.room)[-1]
        equal((seen["only_for"], seen["text"]), (self.ada["open_id"], "hush"), "the card")

    def check_lookup(self) -> None:
        """people are found by e-mail, and the others come back without an id"""
        body = BatchGetIdUserRequestBody.builder().emails(["ada@example.com", "nobody@example.com"])
        body = body.include_resigned(True).build()
        request = BatchGetIdUserRequest.builder().user_id_type("open_id").request_body(body).build()
        found = good(self.client.contact.v3.user.batch_get_id(request)).user_list
        equal([one.user_id for one in found], [self.ada["open_id"], None], "ids")
        equal(found[0].status.is_resigned, False, "is_resigned")

    def check_group_remove(self) -> None:
        """a member is thrown out, and the event names them"""
        body = DeleteChatMembersRequestBody.builder().id_list([self.bob["open_id"]]).build()
        request = DeleteChatMembersRequest.builder().chat_id(self.room).member_id_type("open_id")
        good(self.client.im.v1.chat_members.delete(request.request_body(body).build()))
        equal([one.name for one in self.told("im.chat.member.user.deleted_v1").event.users], ["Bob"], "who went")

    def check_group_dissolve(self) -> None:
        """the group is dissolved, which is told, and is gone with 232009"""
        good(self.client.im.v1.chat.delete(DeleteChatRequest.builder().chat_id(self.room).build()))
        self.told("im.chat.disbanded_v1")
        request = GetChatRequest.builder().chat_id(self.room).build()
        self.refused(self.client.im.v1.chat.get(request), 232009)

    def check_ws_stop(self) -> None:
        """the sandbox notices that the SDK has gone"""
        self.connection.stop()
        wait_until("the end of the connection", lambda: not self.sandbox.get("state")["bot_connected"])
