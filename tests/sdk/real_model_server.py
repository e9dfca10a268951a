"""A question is answered through a model server that others wrote: the LiteLLM proxy, as published on PyPI.

LiteLLM is what many teams put in front of their models, and speaks OpenAI's streaming API with its own code.
Here it answers with a text of ours (`mock_response`), so that it needs neither weights nor network. The text
carries a number drawn for each run, so that nothing but that server can have said it.

    python tests/sdk/real_model_server.py --nightjar target/debug/nightjar

Each check prints a line; the last line counts them.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import secrets
import socket
import sys
import tempfile
import urllib.request
from typing import Any, Optional

from harness import PATIENCE_S, Checks, Child, Sandbox, equal, wait_until

MODEL = "night-model"
KEY = "sk-for-this-test-only"

# It takes LiteLLM some seconds to be imported; on a cold disk many more.
START_S = 120.0
ANSWER_S = 60.0

# What keeps LiteLLM from asking the network for its price list, and from telling home.
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


class ModelServer(Child):
    """`litellm` on loopback, ready when the constructor returns."""

    def __init__(self, folder: pathlib.Path, answer: str) -> None:
        # JSON is YAML.
        config = folder / "litellm.yaml"
        model = {"model": f"openai/{MODEL}", "api_key": "unused", "mock_response": answer}
        settings = {
            "model_list": [{"model_name": MODEL, "litellm_params": model}],
            "general_settings": {"master_key": KEY},
            "litellm_settings": {"telemetry": False},
        }
        config.write_text(json.dumps(settings))
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}/v1"
        litellm = str(pathlib.Path(sys.executable).with_name("litellm"))
        command = [litellm, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        command += ["--telemetry", "False"]
        super().__init__("litellm", command, OFFLINE)
        try:
            wait_until("LiteLLM to serve", self._serves, START_S)
        except BaseException:
            self.stop()
            raise

    def _serves(self) -> bool:
        self.check_alive()
        try:
            with urllib.request.urlopen(f"{self.base_url[:-3]}/health/liveliness", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stream(self) -> list[str]:
        """The lines of a streamed answer, asked for without Nightjar."""
        body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        request = urllib.request.Request(
            f"{self.base_url}/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.headers[
                "Content-Type"
            ]
            return [line.decode().rstrip() for line in answer if line.strip()]


def free_port() -> int:
    """LiteLLM must be told its port, so one is picked for it that is free and unlikely to be taken meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Question:
    """One question asked in a group, and what people see come back."""

    def __init__(self, sandbox: Sandbox, text: str) -> None:
        self.sandbox = sandbox
        wait_until("the bot to connect", self._bot_connected)
        chats = sandbox.get("state")["chats"]
        chat = next(one for one in chats if one["chat_type"] != "p2p" and one["bot"])
        self.chat_id = chat["chat_id"]
        asked = {"chat_id": self.chat_id, "sender": chat["members"][0], "text": text, "mention_bot": True}
        self.message_id = sandbox.post("messages", asked)["message_id"]

    def _bot_connected(self) -> bool:
        self.sandbox.check_alive()
        return self.sandbox.get("state")["bot_connected"]

    def final_card(self) -> dict[str, Any]:
        """Waits for the reply's card to be closed."""
        return wait_until("the final card", self._closed_card, ANSWER_S)

    def _closed_card(self) -> Optional[dict[str, Any]]:
        self.sandbox.check_alive()
        said = self.sandbox.messages(self.chat_id)
        replies = [one for one in said if one["parent_id"] == self.message_id and one["card"]]
        assert len(replies) == 1, f"{len(replies)} cards answer the question"
        return None if replies[0]["card"]["streaming"] else replies[0]

    def streamed(self) -> bool:
        """Whether text was written into the card while it was open."""
        calls = self.sandbox.get("calls")["calls"]
        return any(one["code"] == 0 and one["path"].endswith("/content") for one in calls)

    def reactions(self) -> list[str]:
        """The bot's reactions on the question."""
        all_of_them = self.sandbox.message(self.chat_id, self.message_id)["reactions"]
        return [one["emoji_type"] for one in all_of_them if one["by"] == "bot"]


def check_stream(server: ModelServer, answer: str) -> None:
    lines = server.stream()
    equal(lines[-1], "data: [DONE]", "the last line")
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    equal(text, answer, "the streamed text")
    assert len(chunks) > 5, f"only {len(chunks)} chunks"


def check_answer(nightjar: str, server: ModelServer, answer: str) -> None:
    with bot(nightjar, server, KEY) as sandbox:
        try:
            question = Question(sandbox, "why is checkout failing?")
            card = question.final_card()
            assert answer in card["text"], f"the card says {card['text']!r}"
            assert MODEL in card["text"], "the footer does not name the model"
            assert question.streamed(), "the text was not streamed into the card"
            wait_until("the reaction DONE alone", lambda: question.reactions() == ["DONE"])
            assert sandbox.get("model/requests")["requests"] == [], "the sandbox's own model was asked"
        except BaseException:
            show(server, sandbox)
            raise


def check_wrong_key(nightjar: str, server: ModelServer, answer: str) -> None:
    with bot(nightjar, server, "sk-wrong") as sandbox:
        try:
            question = Question(sandbox, "and with a wrong key?")
            card = question.final_card()
            assert answer not in card["text"] and card["text"].strip(), f"the card says {card['text']!r}"
            wait_until("the reaction ERROR alone", lambda: question.reactions() == ["ERROR"])
            assert "sk-wrong" not in sandbox.output() + card["text"], "the key was shown"
        except BaseException:
            show(server, sandbox)
            raise


def bot(nightjar: str, server: ModelServer, key: str) -> Sandbox:
    """The sandbox with its bot, told of the model as anyone would be."""
    env = {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": server.base_url, "OPENAI_MODEL": MODEL}
    return Sandbox(nightjar, env=env)


def show(*children: Child) -> None:
    """What the processes said, for whoever reads of the failure."""
    for child in children:
        print(f"---- {child.name} said\n{child.output()}----", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary")
    nightjar = parser.parse_args().nightjar
    checks = Checks()
    answer = (
        f"Run {secrets.randbelow(10**9):09d}: the database pool of checkout is exhausted since the last deploy. "
        "Raise the limit first, then look for the slow query. 数据库连接池已满。"
    )
    with tempfile.TemporaryDirectory(prefix="nightjar-model-") as folder:
        with ModelServer(pathlib.Path(folder), answer) as server:
            checks.run("the model server streams its answer", lambda: check_stream(server, answer))
            checks.run(
                "a question is answered with what that server said, and one DONE remains",
                lambda: check_answer(nightjar, server, answer),
            )
            checks.run(
                "a wrong key ends in a closed card with a sentence, and shows no key",
                lambda: check_wrong_key(nightjar, server, answer),
            )
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
