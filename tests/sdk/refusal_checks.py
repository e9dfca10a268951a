"""What the platform refuses, as the SDK tells it: code, msg and log id."""

from __future__ import annotations

import uuid
from typing import Any, Optional

import lark_oapi as lark
from lark_oapi.api.im.v1 import *
from lark_oapi.core.exception import ObtainAccessTokenException
from lark_oapi.core.model.error import Error
from lark_oapi.core.token import TokenManager

from harness import equal
from rest_checks import RestChecks
from trial import card, good


class RefusalChecks(RestChecks):
    """They use the message and the card of the checks before them."""

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
        request = request.body({"reaction_type": {"emoji_type": "ROBOT"}}).token_types(
            {lark.AccessTokenType.TENANT}
        )
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
        body = lambda: (
            CreateMessageRequestBody.builder()
            .receive_id(chat_id)
            .msg_type("text")
            .content('{"text":"x"}')
            .uuid(str(uuid.uuid4()))
            .build()
        )
        send = lambda: self.client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body()).build()
        )
        self.advance(1)
        codes = [send().code for _ in range(6)]
        self.wire.keep_call("rest_refused_chat_limit")
        equal(codes, [0, 0, 0, 0, 0, 230020], "codes")
        self.advance(1)
        good(send())
