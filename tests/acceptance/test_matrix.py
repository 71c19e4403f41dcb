"""A Matrix user chats with the agent through a real Synapse and a whole server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # test files are no package
from matrix_server import Synapse, User, synapse_running

CONFIGURED = """
[channels.chat]
kind = "matrix"
homeserver = "{url}"
user_id = "{user}"
access_token = "{token}"
"""


@pytest.fixture(scope="module")
def synapse() -> Iterator[Synapse]:
    with synapse_running() as one:
        yield one


@pytest.fixture(scope="module")
def bot(synapse: Synapse) -> User:
    return synapse.user("help")


@pytest.fixture(scope="module")
def configured(synapse: Synapse, bot: User) -> str:
    return CONFIGURED.format(url=synapse.url, user=bot.id, token=bot.token)


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], configured: str) -> Any:
    return serve(more=configured)


def test_a_user_is_answered_by_the_agent_and_after_review(
    product: Any, synapse: Synapse, bot: User, words: Any, until: Any
) -> None:
    until(lambda: product.app.store.read_now(lambda tx: tx.pulls.state("chat", now=product.app.clock.now())))
    reviewer = product.client(product.key(name="Ines"))
    ada = synapse.user("ada")
    room = ada.room_with(bot.id)
    until(lambda: bot.id in ada.ask("GET", f"rooms/{room}/joined_members")["joined"])
    ada.say(room, words.automatic)
    (answer,) = until(lambda: ada.heard(room))
    assert answer["content"]["msgtype"] == "m.notice"
    assert "Monday" in answer["content"]["body"]
    ada.say(room, words.held)
    (hold,) = until(lambda: [one for one in reviewer.holds() if one.channel == "chat"])
    reviewer.approve(hold.id, version=hold.version)
    until(lambda: len(ada.heard(room)) == 2)


def test_doctor_and_show_know_an_account(
    understudy_here: Any, write_folder: Any, configured: str, bot: User, tmp_path: Path
) -> None:
    write_folder(tmp_path, more=configured)
    assert f"lets {bot.id} in" in understudy_here("doctor", cwd=tmp_path).out
    assert 'kind = "matrix"' in understudy_here("channels", "show", "matrix", cwd=tmp_path).out
