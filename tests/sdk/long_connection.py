"""The SDK's own WebSocket client, made to start and stop, and the events that it hands over."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Optional

import lark_oapi as lark
import lark_oapi.ws.client as sdk_ws
from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse

from harness import wait_until


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
            builder.register_p2_im_chat_member_user_deleted_v1,
            builder.register_p2_im_chat_updated_v1,
            builder.register_p2_im_chat_disbanded_v1,
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
