"""What this process last saw of the conversations it works on, so that a step need not read what the last one wrote.

It is right as long as nobody else writes: every change stands in the ledger, so a head that is not the one this process
left empties it, and so does a rollback. Leases are lengthened without a ledger entry; what is leased is read anew.
Only the writer has one, and it holds nothing that is not in the database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.known_identity import KnownIdentity
from understudy.adapters.stores.known_pledges import KnownPledges
from understudy.adapters.stores.tallies import Tallies
from understudy.records.conversation import Contact, Conversation, Message
from understudy.records.outbox import OPEN_ENTRY, OutboxEntry, OutboxState
from understudy.records.turn import OPEN, WORKING, Turn, TurnState

SCENES_MAX = 1024
"""How many conversations are kept, the longest untouched go first: some megabytes, however many wait for people."""
MESSAGES_MAX = 40
"""A longer conversation's messages are read from the database each time."""

LEASED = frozenset({TurnState.DRAFTING, TurnState.GATHERING})
"""States in which somebody outside is asked for a turn, under a lease."""


@dataclass(slots=True)
class Scene:
    """A conversation as it stands in the database; None = not read yet."""

    conversation: Conversation
    turns: list[Turn] | None = None
    entries: list[OutboxEntry] | None = None
    messages: list[Message] | None = None

    def open_turns(self) -> list[Turn] | None:
        """The open turns, if they are known; who drafts, or asks others, may have lengthened the lease without a word."""
        if self.turns is None or any(turn.state in LEASED for turn in self.turns):
            return None
        return list(self.turns)

    def open_entries(self) -> list[OutboxEntry] | None:
        """The open outbox entries, if they are known; the same holds for who sends."""
        if self.entries is None or any(entry.state is OutboxState.SENDING for entry in self.entries):
            return None
        return list(self.entries)

    def put_turn(self, turn: Turn) -> None:
        """Take a turn as it is now."""
        if self.turns is None:
            return
        others = [other for other in self.turns if other.id != turn.id]
        if turn.state in OPEN:
            others.append(turn)
            others.sort(key=lambda one: one.position)
        self.turns = others

    def lengthen(self, turn: Turn, *, until: datetime) -> None:
        """Take a lease as it is now, if the turn is still as it was."""
        if self.turns is not None:
            self.turns = [
                replace(one, due_at=until) if (one.id, one.token) == (turn.id, turn.token) else one
                for one in self.turns
            ]

    def put_entry(self, entry: OutboxEntry) -> None:
        """Take an outbox entry as it is now."""
        if self.entries is None:
            return
        others = [other for other in self.entries if other.id != entry.id]
        if entry.state in OPEN_ENTRY:
            others.append(entry)
            others.sort(key=lambda one: one.seq)
        self.entries = others

    def put_messages(self, messages: list[Message]) -> None:
        """Take the whole conversation, if it is short."""
        self.messages = messages if len(messages) <= MESSAGES_MAX else None


class Hot:
    """Scenes by conversation. `scenes_max` 0 keeps nothing: for a query, which may see an older state."""

    def __init__(self, *, scenes_max: int = SCENES_MAX) -> None:
        self._scenes_max = scenes_max
        self._scenes: OrderedDict[str, Scene] = OrderedDict()
        self._ids: dict[tuple[str, str], str] = {}
        self._contacts: dict[str, Contact] = {}
        self._documents: dict[str, set[str]] = {}
        self._closed: OrderedDict[str, Turn] = OrderedDict()
        self._head: int | None = None
        self.rulebooks: set[str] = set()
        self.autonomy = KnownAutonomy()
        self.identity = KnownIdentity()
        self.pledges = KnownPledges()
        self.has_actions: bool | None = None  # None = not looked
        self.numbers: dict[str, Iterator[int]] = {}
        self.backlog: int | None = None
        self.tallies = Tallies()
        self._buckets: dict[tuple[str | None, str, str], datetime] = {}

    def open(self, head: int) -> None:
        """Begin a group of steps on a database whose ledger ends with `head`."""
        if head != self._head:
            self.clear()

    def close(self, head: int) -> None:
        """End a group that was committed and left the ledger with `head`."""
        self._head = head

    def clear(self) -> None:
        """Forget everything: somebody else wrote, or what was written here was rolled back."""
        self._scenes.clear()
        self._ids.clear()
        self._contacts.clear()
        self._documents.clear()
        self._closed.clear()
        self.rulebooks.clear()
        self.autonomy.clear()
        self.identity.clear()
        self.pledges.clear()
        self.has_actions = None
        self.numbers.clear()
        self.backlog = None
        self.tallies.clear()
        self._buckets.clear()
        self._head = None

    def scene(self, conversation_id: str) -> Scene | None:
        """A conversation, if it is kept."""
        scene = self._scenes.get(conversation_id)
        if scene is not None:
            self._scenes.move_to_end(conversation_id)
        return scene

    def scene_at(self, channel: str, external_id: str) -> Scene | None:
        """The same by the channel's own name for it."""
        known = self._ids.get((channel, external_id))
        return None if known is None else self.scene(known)

    def contact(self, contact_id: str) -> Contact | None:
        """A contact, if it is kept."""
        return self._contacts.get(contact_id)

    def keep(self, conversation: Conversation, *, is_new: bool = False) -> None:
        """Keep a conversation that was read, or that was begun just now and has nothing yet."""
        if not self._scenes_max:
            return
        known = self._scenes.get(conversation.id)
        if known is not None:
            known.conversation = conversation
            return
        scene = Scene(conversation, [], [], []) if is_new else Scene(conversation)
        self._scenes[conversation.id] = scene
        self._ids[conversation.channel, conversation.external_id] = conversation.id
        if len(self._scenes) > self._scenes_max:
            _, oldest = self._scenes.popitem(last=False)
            self._ids.pop((oldest.conversation.channel, oldest.conversation.external_id), None)
            self._contacts.pop(oldest.conversation.contact_id, None)

    def keep_turn(self, turn: Turn, *, was: Turn | None) -> None:
        """Keep a turn as it is now, with its conversation and what is counted of it; `was`: as it was, None = it is new."""
        if turn.state not in OPEN:
            self._documents.pop(turn.id, None)
            self._keep_closed(turn)
        else:
            self._closed.pop(turn.id, None)  # a person answers what had been handed off
        if (scene := self.scene(turn.conversation_id)) is not None:
            scene.put_turn(turn)
        if self.backlog is not None:
            self.backlog += (turn.state in WORKING) - (was is not None and was.state in WORKING)
        self.tallies.moved(was, turn)

    def _keep_closed(self, turn: Turn) -> None:
        """Keep a turn that is over: the next one of its conversation asks what became of it."""
        if self._scenes_max:
            self._closed[turn.id] = turn
            if len(self._closed) > self._scenes_max:
                self._closed.popitem(last=False)

    def closed_turn(self, turn_id: str) -> Turn | None:
        """A turn that is over, if it is kept."""
        return self._closed.get(turn_id)

    def begin_documents(self, turn_id: str) -> None:
        """Say that a turn was begun just now and has no documents yet."""
        if len(self._documents) < 4 * self._scenes_max:
            self._documents[turn_id] = set()

    def put_document(self, turn_id: str, kind: str) -> None:
        """Say that a turn has a document of this kind."""
        if turn_id in self._documents:
            self._documents[turn_id].add(kind)

    def lacks_document(self, turn_id: str, kind: str) -> bool:
        """Whether a turn certainly has no document of this kind."""
        return turn_id in self._documents and kind not in self._documents[turn_id]

    def is_new_bucket(self, of_slice: tuple[str | None, str, str], began_at: datetime) -> bool:
        """Whether a slice's counts go on in another bucket than the last time; it is remembered."""
        is_new = self._buckets.get(of_slice) != began_at
        self._buckets[of_slice] = began_at
        return is_new

    def forget(self, contact_id: str) -> None:
        """Let go of a contact and of their conversations, whose rows were changed by statements of their own."""
        self._contacts.pop(contact_id, None)
        for known in [one for one in self._scenes.values() if one.conversation.contact_id == contact_id]:
            conversation = known.conversation
            del self._scenes[conversation.id]
            self._ids.pop((conversation.channel, conversation.external_id), None)
        self._documents.clear()
        self.autonomy.has_caps = None
        self.pledges.clear()

    def keep_contact(self, contact: Contact) -> None:
        """Keep a contact as it is now; it goes with its conversation."""
        if len(self._contacts) < 2 * self._scenes_max:
            self._contacts[contact.id] = contact
