"""Whatever is said of who customers are, no message reaches another person: links, codes, claims, mistakes of leads, in any order.

Its model is the merge of contacts that sent replies to another person (chatwoot#15359), which is an exposure of data.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore
from understudy.effects.identity import group_of, link_contacts, unlink_contacts
from understudy.records.conversation import Conversation
from understudy.records.outbox import Retry
from understudy.records.turn import OUTBOX_JOB
from understudy.simulation.identity_world import IdentityWorld, Place, fuzz

T = TypeVar("T")

KIM, LEE = 1, 2
APP = Place(KIM, "app", "user-1")
"""Her account in the business's own app, which tells her address."""
MAIL = Place(KIM, "mail", "p1.0@mail.example")
SMS = Place(KIM, "sms", "+44770090011")
OTHERS_MAIL = Place(LEE, "mail", "p2.0@mail.example")


class House:
    """A world in which only happens what a test asks for."""

    def __init__(self, path: Path) -> None:
        self._runner = asyncio.Runner()
        self.store = SqlStore(f"sqlite:///{path}")
        upgrade(self.store.engine)
        self.world = IdentityWorld(self.store, random.Random(1))

    def run(self, awaitable: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await awaitable

        return self._runner.run(awaited())

    def writes(self, place: Place, text: str = "") -> Conversation:
        self.world.clock.advance(1)
        return self.run(self.world.write(place, f"{text} <p{place.person}>"))

    def drafts(self) -> None:
        """Let the agent answer; nothing is sent yet."""
        self.run(self.world.look(100, besides=OUTBOX_JOB))

    def sends(self) -> None:
        self.run(self.world.look(100))

    def do(self, what: Any, one: Conversation, other: Conversation) -> None:
        self.store.write_now(lambda tx: what(tx, self.world.clock, one.contact_id, other.contact_id, by="lena"))

    def group(self, one: Conversation, *, is_verified: bool = False) -> set[str]:
        return set(self.store.read_now(lambda tx: group_of(tx, one.contact_id, is_verified=is_verified)))

    def got(self, place: Place) -> list[str]:
        channel = self.world.channels[place.channel]
        return [entry.text for entry in channel.delivered if entry.address == place.address]

    def rows(self) -> dict[str, list[Any]]:
        """What stands in the tables of who talks to whom."""
        with self.store.engine.connect() as connection:
            return {
                table: sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()))
                for table in ("contacts", "addresses", "conversations", "messages", "turns")
            }

    def close(self) -> None:
        assert self.world.tally.wrong == []
        self.store.close_now()
        self._runner.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "store.db")
    yield house
    house.close()


def test_contact_merge_never_reroutes_a_reply_to_another_person(house: House) -> None:
    """chatwoot#15359: a lead merges two people by mistake, and the other one wrote last."""
    kim = house.writes(SMS)
    house.drafts()
    lee = house.writes(OTHERS_MAIL)
    house.do(link_contacts, kim, lee)
    house.sends()
    assert len(house.got(SMS)) == len(house.got(OTHERS_MAIL)) == 1


def test_contact_merge_shows_the_agent_nothing_of_another_person(house: House) -> None:
    kim, lee = house.writes(SMS), house.writes(OTHERS_MAIL)
    house.do(link_contacts, kim, lee)
    house.sends()
    house.writes(SMS, "again")
    house.sends()
    assert house.got(SMS)
    assert all("<p2>" not in text for text in house.got(SMS))


def test_the_answer_goes_where_the_same_person_wrote_last(house: House) -> None:
    app = house.writes(APP)
    house.drafts()
    mail = house.writes(MAIL)
    assert house.group(app, is_verified=True) == {app.contact_id, mail.contact_id}
    house.sends()
    assert (len(house.got(APP)), len(house.got(MAIL))) == (0, 2)


def test_an_answer_on_its_way_elsewhere_comes_back_when_the_link_is_taken_away(house: House) -> None:
    app = house.writes(APP)
    house.drafts()
    house.world.channels["mail"].answers.append(Retry(reason="busy"))
    mail = house.writes(MAIL)
    house.sends()
    house.do(unlink_contacts, app, mail)
    house.world.clock.advance(60)
    house.sends()
    assert len(house.got(APP)) == len(house.got(MAIL)) == 1


def test_a_draft_that_rests_on_what_another_contact_wrote_is_not_sent_after_the_link_is_gone(house: House) -> None:
    mail = house.writes(MAIL, "the old letter")
    house.sends()
    app = house.writes(APP)
    house.drafts()
    house.do(unlink_contacts, app, mail)
    house.sends()
    assert house.got(APP) == []
    (hold,) = house.store.read_now(lambda tx: tx.holds.open_of_conversation(app.id))
    assert hold.reasons == ("delivery_failed",)


def test_a_link_is_taken_away_as_if_it_had_never_been(house: House) -> None:
    kim, lee, app = house.writes(SMS), house.writes(OTHERS_MAIL), house.writes(APP)
    house.sends()
    house.do(link_contacts, kim, app)
    groups, rows = [house.group(one) for one in (kim, lee, app)], house.rows()
    house.do(link_contacts, kim, lee)
    assert house.group(app) == {one.contact_id for one in (kim, lee, app)}
    house.do(unlink_contacts, kim, lee)
    assert ([house.group(one) for one in (kim, lee, app)], house.rows()) == (groups, rows)


def test_no_rule_links_again_whom_a_person_took_apart(house: House) -> None:
    app, mail = house.writes(APP), house.writes(MAIL)
    house.do(unlink_contacts, app, mail)
    third = house.writes(Place(KIM, "app", "user-1-phone"))
    house.writes(APP)
    assert mail.contact_id not in house.group(app)
    assert not {app.contact_id, mail.contact_id} <= house.group(third)


def test_ten_times_a_thousand_events_in_small_send_nothing_to_another_person(tmp_path: Path) -> None:
    """A small part of what `./dev bench people` plays with 10,000 events."""
    store = SqlStore(f"sqlite:///{tmp_path / 'store.db'}")
    upgrade(store.engine)
    tally = asyncio.run(fuzz(store, random.Random(20), events=700))
    store.close_now()
    assert tally.wrong == []
    assert min(tally.sent, tally.elsewhere, tally.codes_right, tally.linked, tally.unlinked) > 0


@settings(max_examples=8, deadline=None)
@given(dice=st.randoms(use_true_random=False))
def test_any_order_of_events_sends_nothing_to_another_person(
    dice: random.Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path_factory.mktemp('any') / 'store.db'}")
    upgrade(store.engine)
    tally = asyncio.run(fuzz(store, dice, events=40))
    store.close_now()
    assert tally.wrong == []
