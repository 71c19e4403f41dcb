"""What this process last saw of the conversations it works on, so that a step need not read what the last one wrote.

It is right as long as nobody else writes: every change stands in the ledger, so a head that is not the one this process
left says that somebody did. What they changed is forgotten (`forgetting.py`), and all is where that is not known, or after
a rollback. Leases are lengthened without a ledger entry; what others leased is read anew.
Only the writer has one, and it holds nothing that is not in the database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.known_documents import KnownDocuments
from understudy.adapters.stores.known_identity import KnownIdentity
from understudy.adapters.stores.known_pledges import KnownPledges
from understudy.adapters.stores.scene import Leases, Scene
from understudy.adapters.stores.tallies import Tallies
from understudy.records.conversation import Contact, Conversation
from understudy.records.outbox import OutboxEntry
from understudy.records.turn import WORKING, Turn

SCENES_MAX = 1024
"""How many conversations are kept, the longest untouched go first: some megabytes, however many wait for people."""


class Hot:
    """Scenes by conversation. `scenes_max` 0 keeps nothing: for a query, which may see an older state."""

    def __init__(self, *, scenes_max: int = SCENES_MAX) -> None:
        self._scenes_max = scenes_max
        self._scenes: OrderedDict[str, Scene] = OrderedDict()
        self._ids: dict[tuple[str, str], str] = {}
        self._contacts: OrderedDict[str, Contact] = OrderedDict()
        self.documents = KnownDocuments()
        self.leases = Leases()
        self._turns: OrderedDict[str, Turn] = OrderedDict()
        self._turns_in: dict[str, set[str]] = {}
        self._head: tuple[int, str] | None = None
        self.rulebooks: set[str] = set()
        self.autonomy = KnownAutonomy()
        self.identity = KnownIdentity()
        self.pledges = KnownPledges()
        self.has_actions: bool | None = None  # None = not looked
        self.numbers: dict[str, Iterator[int]] = {}
        self.backlog: int | None = None
        self.tallies = Tallies()
        self._buckets: dict[tuple[str | None, str, str], datetime] = {}

    @property
    def keeps(self) -> bool:
        """Whether anything is remembered at all."""
        return self._scenes_max > 0

    @property
    def head(self) -> tuple[int, str] | None:
        """Where the ledger ended when all of this was right, its last number and hash; None where nothing is remembered."""
        return self._head

    def close(self, head: tuple[int, str]) -> None:
        """End a group that was committed and left the ledger with `head`."""
        self._head = head

    def clear(self) -> None:
        """Forget everything: somebody else wrote, or what was written here was rolled back."""
        self._scenes.clear()
        self._ids.clear()
        self._contacts.clear()
        self.documents.clear()
        self.leases.clear()
        self._turns.clear()
        self._turns_in.clear()
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

    def drop(self, whose: Iterable[tuple[str, str]]) -> None:
        """Let go of rows, by table and whose they are (`marks.WHOSE`)."""
        for table, one in whose:
            if table == "contacts":
                self._contacts.pop(one, None)
            elif table == "pledges":
                self.pledges.of.pop(one, None)
            elif table == "artifacts":
                self.documents.forget(one)
            elif (scene := self._scenes.get(one)) is not None:
                self._drop_of(scene, table)
            if table == "turns":
                for turn_id in self._turns_in.pop(one, ()):
                    self._turns.pop(turn_id, None)

    def _drop_of(self, scene: Scene, table: str) -> None:
        if table == "messages":
            scene.messages = None
        elif table == "turns":
            scene.turns = None
        elif table == "outbox":
            scene.entries = None
        else:
            self._disown(scene)

    def _disown(self, scene: Scene) -> None:
        """Let go of the conversation itself, and of how it is found."""
        if (conversation := scene.conversation) is not None:
            self._ids.pop((conversation.channel, conversation.external_id), None)
        scene.conversation = None

    def drop_counts(self) -> None:
        """Let go of what is counted of turns, and of the numbers for new ones."""
        self.numbers.clear()
        self.backlog = None
        self.tallies.clear()

    def look_for_actions(self) -> None:
        """Look again whether there are any."""
        self.has_actions = None

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

    def scene_of(self, conversation_id: str) -> Scene | None:
        """The same, begun if it is not kept yet; None where nothing is."""
        scene = self.scene(conversation_id)
        if scene is None and self._scenes_max:
            scene = self._scenes[conversation_id] = Scene(self.leases)
            if len(self._scenes) > self._scenes_max:
                self._disown(self._scenes.popitem(last=False)[1])
        return scene

    def keep(self, conversation: Conversation, *, is_new: bool = False) -> None:
        """Keep a conversation that was read, or that was begun just now and has nothing yet."""
        if (scene := self.scene_of(conversation.id)) is None:
            return
        scene.conversation = conversation
        self._ids[conversation.channel, conversation.external_id] = conversation.id
        if is_new:
            scene.turns, scene.entries, scene.messages = [], [], []

    def keep_turn(self, turn: Turn, *, was: Turn | None) -> None:
        """Keep a turn as it is now, with its conversation and what is counted of it; `was`: as it was, None = it is new."""
        self.leases.put_turn(turn)
        if turn.state not in WORKING:
            self.documents.forget(turn.id)
        self._keep_turn(turn)
        if (scene := self.scene(turn.conversation_id)) is not None:
            scene.put_turn(turn)
        if self.backlog is not None:
            self.backlog += (turn.state in WORKING) - (was is not None and was.state in WORKING)
        self.tallies.moved(was, turn)

    def keep_entry(self, entry: OutboxEntry) -> None:
        """Keep an outbox entry as it is now, with its conversation."""
        self.leases.put_entry(entry)
        if (scene := self.scene(entry.conversation_id)) is not None:
            scene.put_entry(entry)

    def _keep_turn(self, turn: Turn) -> None:
        """Keep a turn by its own name: what follows asks for it, and the next one of its conversation what became of it."""
        if self._scenes_max:
            self._turns[turn.id] = turn
            self._turns.move_to_end(turn.id)
            self._turns_in.setdefault(turn.conversation_id, set()).add(turn.id)
            if len(self._turns) > 2 * self._scenes_max:
                self._let_go(self._turns.popitem(last=False)[1])

    def _let_go(self, turn: Turn) -> None:
        others = self._turns_in.get(turn.conversation_id, set())
        others.discard(turn.id)
        if not others:
            self._turns_in.pop(turn.conversation_id, None)

    def turn(self, turn_id: str) -> Turn | None:
        """A turn, if it is kept and its lease is known."""
        turn = self._turns.get(turn_id)
        return turn if turn is not None and self.leases.knows_turn(turn) else None

    def lengthen(self, turn: Turn, *, until: datetime) -> None:
        """Take a lease as it is now, if the turn is still as it was."""
        if (known := self._turns.get(turn.id)) is not None and known.token == turn.token:
            self._turns[turn.id] = replace(known, due_at=until)
        if (scene := self.scene(turn.conversation_id)) is not None:
            scene.lengthen(turn, until=until)

    def keep_documents(self, turn_id: str, kinds: Iterable[str] = ()) -> None:
        """Remember which documents a turn has; one that was begun just now has none."""
        if self._scenes_max:
            self.documents.keep(turn_id, kinds)

    def is_new_bucket(self, of_slice: tuple[str | None, str, str], began_at: datetime) -> bool:
        """Whether a slice's counts go on in another bucket than the last time; it is remembered."""
        is_new = self._buckets.get(of_slice) != began_at
        self._buckets[of_slice] = began_at
        return is_new

    def forget(self, contact_id: str) -> None:
        """Let go of a contact and of their conversations, whose rows were changed by statements of their own."""
        self._contacts.pop(contact_id, None)
        for scene in self._scenes.values():
            scene.entries = None  # also others' may have been on their way to an address of theirs
            if scene.conversation is None or scene.conversation.contact_id == contact_id:
                self._disown(scene)
                scene.turns = scene.messages = None
        self.documents.clear()
        self.autonomy.has_caps = None
        self.pledges.clear()

    def keep_contact(self, contact: Contact) -> None:
        """Keep a contact as it is now."""
        if self._scenes_max:
            self._contacts[contact.id] = contact
            self._contacts.move_to_end(contact.id)
            if len(self._contacts) > 2 * self._scenes_max:
                self._contacts.popitem(last=False)
