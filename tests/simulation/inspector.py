"""Looks at the world after each commit and each message that lands, and says which promise was broken.

It reads the tables by SQL of its own and keeps what it saw, so it also sees which way a record went. It trusts what
the customers, people, agents and providers of the world remember, never what a flow says of itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from simulation import violation as promise
from simulation.lawful import wrongs
from simulation.rows import NOTHING, OutboxRow, Seen, see
from simulation.terms import FOLLOW_UP, NOTICE, OVERDUE, SORRY
from simulation.virtual_time import START
from understudy.errors import UnderstudyError
from understudy.ports.telemetry import Event, StepFailed, TurnDecided
from understudy.records.acting import ActionEntry
from understudy.records.ledger import GENESIS, LedgerEntry, chain
from understudy.records.outbox import OutboxEntry
from understudy.records.review import VerdictRequest
from understudy.turn.intake import Received

if TYPE_CHECKING:
    from simulation.channel import Provider
    from simulation.customers import Letter
    from simulation.world import World

SAFE_TEXTS = {reply.text for reply in (SORRY, FOLLOW_UP, NOTICE, OVERDUE)}
HOUR_US = 3_600_000_000
QUOTA_KINDS = ("deliver", "degrade")
ATTENDING = ("respond", "take_over")


class Inspector:
    """See the module. `acknowledged` are the letters that were, `said` what people wrote and who."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chained, self._seq = GENESIS, 0
        self._seen: dict[str, Seen] = {}
        self._requests: dict[tuple[str, str], list[VerdictRequest]] = {}
        self._attended: dict[str, int] = {}
        self._handed_off: dict[str, int] = {}
        self._void: set[str] = set()
        self._shown: dict[str, list[int]] = {}
        self._put_back: set[str] = set()
        self.acknowledged: dict[tuple[str, str], Letter] = {}
        self.said: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    def _broken(self, which: str, what: str) -> None:
        self._world.violated(which, what)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    # What the world tells ------------------------------------------------------------------------------------

    def requested(self, request: VerdictRequest) -> None:
        """A person is about to give a verdict."""
        self._requests.setdefault((request.hold_id, request.reviewer), []).append(request)

    def took(self, letter: Letter, received: Received) -> None:
        """A provider was told that its message is safe."""
        key = (letter.channel, letter.inbound.provider_id)
        self.acknowledged[key] = letter
        self._count("acknowledged again" if received.is_duplicate else "acknowledged")
        self._world.note("customer", f"{letter.inbound.provider_id} acknowledged as of {received.turn_id}")
        if not self._world.database.rows("SELECT 1 FROM messages WHERE channel = ? AND provider_id = ?", *key):
            self._broken(promise.NOT_LOST, f"{letter.inbound.provider_id} was acknowledged and is not stored")

    def refused(self, who: str, error: BaseException) -> None:
        """A step raised; nothing of it may be stored, and only foreseen errors may come out of one."""
        self._world.note(who, f"refused: {type(error).__name__}")
        self._count(f"refused: {type(error).__name__}")
        if not isinstance(error, UnderstudyError):
            self._broken(promise.NO_SURPRISE, f"a step raised {type(error).__name__}: {error}")

    def remembers(self, who: str, mistake: str | None) -> None:
        """What a process begins a step with."""
        if mistake is not None:
            self._broken(promise.REMEMBERED, f"{who}: {mistake}")

    def told(self, who: str, event: Event) -> None:
        """A flow reported something."""
        if isinstance(event, StepFailed):
            self._count("step failed")
            if not event.error.startswith("StoreError"):
                self._broken(promise.NO_SURPRISE, f"{who}: {event.flow} of {event.key} failed by {event.error}")
        elif isinstance(event, TurnDecided):
            self._count(f"decided: {event.decision}")

    def broke(self, what: str, error: object) -> None:
        """A task ended by an exception that nobody caught."""
        self._broken(promise.NO_SURPRISE, f"{what}: {error!r}")

    # After a commit ------------------------------------------------------------------------------------------

    def committed(self, who: str, entries: Sequence[LedgerEntry]) -> None:
        """Look at everything that a commit touched."""
        touched: dict[str, None] = {}
        for entry in entries:
            self._world.note(who, f"{entry.event} {entry.turn_id or entry.conversation_id or ''} by {entry.actor}")
            self._chain(entry)
            self._attend(entry)
            if entry.conversation_id is not None:
                touched[entry.conversation_id] = None
        for conversation_id in touched:
            before = self._seen.get(conversation_id, NOTHING)
            after = self._seen[conversation_id] = see(self._world.database, conversation_id)
            self._look(before, after, [entry for entry in entries if entry.conversation_id == conversation_id])

    def _chain(self, entry: LedgerEntry) -> None:
        values = {each.name: getattr(entry, each.name) for each in fields(entry) if each.name != "hash"}
        is_next = entry.seq == self._seq + 1 and entry.previous == self._chained
        if not is_next or entry.hash != chain(**values):
            self._broken(promise.CHAINED, f"entry {entry.seq} does not follow entry {self._seq}")
        self._seq, self._chained = entry.seq, entry.hash

    def _attend(self, entry: LedgerEntry) -> None:
        """Remember when a person last turned to a conversation, and what they said of its messages."""
        if entry.conversation_id is None or not entry.actor.startswith("reviewer"):
            return
        body = json.loads(entry.body)
        if entry.event == "outbox.retried":
            self._put_back.add(body["outbox"])
        attends = (
            (entry.event == "conversation.mode" and body["taken_by"] is not None)
            or (entry.event == "verdict.given" and body["kind"] in ATTENDING)
            or (entry.event == "outbox.queued" and body["author"] == "reviewer")
        )
        if attends:
            self._attended[entry.conversation_id] = entry.seq

    def _look(self, before: Seen, after: Seen, entries: list[LedgerEntry]) -> None:
        for which, what in wrongs(before, after):
            self._broken(which, what)
        for turn in after.turns.values():
            was = before.turns.get(turn.id)
            if turn.state == "handed_off" and (was is None or was.state != "handed_off"):
                self._handed_off[turn.id] = entries[0].seq
            if turn.state == "handed_off" and not self.is_attended(after, turn.id):
                self._broken(promise.ONE_HAND_OFF, f"{turn.id} was handed off and nobody is told")
            if turn.decision in QUOTA_KINDS and (was is None or was.decision is None):
                self._quota(turn.id, turn.decision)
        for entry in entries:
            if entry.event == "verdict.given":
                self._verdict(before, after, entry)
            elif entry.event in ("turn.superseded", "message.received"):
                self._none_left_behind(after.id)
        self._nothing_of_the_void(after, entries)
        for queued in after.outbox.values():
            if queued.id not in before.outbox:
                self._justified(before, after, queued)

    def _nothing_of_the_void(self, after: Seen, entries: list[LedgerEntry]) -> None:
        """Nothing leaves for a turn that was made void; what was said of a hand-off stands."""
        for entry in entries:
            if entry.event == "turn.superseded" and json.loads(entry.body)["was"] != "handed_off":
                self._void.add(str(entry.turn_id))
        for queued in after.outbox.values():
            if queued.turn_id in self._void:
                self._broken(promise.NOT_VOID, f"{queued.turn_id} was made void and {queued.id} of it is in the outbox")

    def is_attended(self, seen: Seen, turn_id: str) -> bool:
        """Whether a handed-off turn waits before a person, or a person turned to it since."""
        since = self._attended.get(seen.id, 0) >= self._handed_off.get(turn_id, 0)
        return since or bool(seen.open_holds("hand_off"))

    def _quota(self, turn_id: str, decision: str) -> None:
        found = self._world.database.rows(
            "SELECT count(*) FROM turns AS t JOIN turns AS new ON new.id = ? WHERE t.decision = ?"
            " AND t.topic = new.topic AND t.channel = new.channel"
            " AND t.decided_at > new.decided_at - ? AND t.decided_at <= new.decided_at",
            turn_id,
            decision,
            HOUR_US,
        )
        allowed = self._world.terms.rulebook.rules.automatic_per_hour_max
        if found[0][0] > allowed:
            self._broken(promise.QUOTA, f"{turn_id} is automatic reply {found[0][0]} of {allowed} of its hour")

    def _verdict(self, before: Seen, after: Seen, entry: LedgerEntry) -> None:
        """A verdict counts only for the version its reviewer saw, while nobody else works on it."""
        body = json.loads(entry.body)
        old, new = before.holds.get(body["hold"]), after.holds[body["hold"]]
        if new.kind == "unsure_send":
            for provider in self._world.providers.values():
                provider.unresolved -= {row.id for row in before.outbox.values() if row.state == "unknown"}
        self._count(f"verdict: {new.kind} {body['kind']}")
        asked = self._requests.get((new.id, entry.actor), [])
        if old is None or old.state != "open":
            self._broken(promise.NOT_STALE, f"{entry.actor} decided on {new.id}, which was closed")
            return
        seen = old.version - (old.undo_until is not None)  # that it waited was news to others, not to who gave it
        if not any(r.version == seen and r.kind.value == body["kind"] for r in asked):
            versions = [request.version for request in asked]
            self._broken(promise.NOT_STALE, f"{entry.actor} saw versions {versions} of {new.id}, it was {seen}")
        elif old.claimed_by not in (None, entry.actor) and (old.claimed_until or 0) > _us(entry):
            self._broken(promise.NOT_STALE, f"{entry.actor} decided on {new.id}, which {old.claimed_by} had claimed")

    def _none_left_behind(self, conversation_id: str) -> None:
        found = self._world.database.rows(
            "SELECT m.provider_id, t.id FROM messages AS m LEFT JOIN turns AS t ON t.id = m.turn_id"
            " WHERE m.conversation_id = ? AND m.author = 'customer' AND (t.id IS NULL OR t.state = 'superseded')",
            conversation_id,
        )
        if found:
            self._broken(promise.NOT_LOST, f"{found[0][0]} stayed with {found[0][1]}, which answers nothing")

    # What is sent --------------------------------------------------------------------------------------------

    def _justified(self, before: Seen, after: Seen, queued: OutboxRow) -> None:
        """Nothing is queued but what was decided, or what a person said."""
        turn = after.turns.get(queued.turn_id or "")
        if queued.author == "reviewer":
            if queued.text not in self.said:
                self._broken(promise.DECIDED, f"nobody said {queued.text!r} ({queued.id})")
            return
        if turn is None or turn.decision is None:
            self._broken(promise.DECIDED, f"{queued.id} belongs to no decided turn")
            return
        verdicts = self._world.database.rows("SELECT kind, text FROM verdicts WHERE turn_id = ?", turn.id)
        if queued.author == "safe_reply":
            has_expired = any(h.turn_id == turn.id and h.state == "expired" for h in after.holds.values())
            if queued.text not in SAFE_TEXTS or not (turn.decision in ("degrade", "hand_off") or has_expired):
                self._broken(promise.DECIDED, f"{queued.id} is a safe reply that nobody decided on")
            return
        if ("edit", queued.text) in verdicts:
            return
        is_approved = any(kind == "approve" for kind, _ in verdicts)
        was = before.turns[turn.id]
        if not is_approved and (turn.decision != "deliver" or was.decision is not None):
            self._broken(promise.DECIDED, f"{queued.id} sends a draft of {turn.id}: {turn.decision}, {verdicts}")
        elif not is_approved and before.mode == "person":
            self._broken(promise.DECIDED, f"{queued.id} speaks over a person")
        else:
            self._of_this_turn(queued)

    def _of_this_turn(self, queued: OutboxRow) -> None:
        """A draft is sent for the turn it was made for, and it was made knowing all that this turn asks."""
        made = self._world.drafts.get(queued.text)
        if made is None:
            stored = self._world.database.rows(
                "SELECT body FROM artifacts WHERE kind = 'draft' AND turn_id = ?", queued.turn_id
            )
            if not stored or json.loads(stored[0][0])["text"] != queued.text:
                self._broken(promise.DECIDED, f"{queued.id} is no draft of {queued.turn_id}")
            return
        asked = self._world.database.rows(
            "SELECT text FROM messages WHERE turn_id = ? AND author = 'customer'", queued.turn_id
        )
        unread = [text for (text,) in asked if text not in made.read]
        if made.turn_id != queued.turn_id or unread:
            self._broken(
                promise.NOT_VOID, f"{queued.id} of {queued.turn_id} was made for {made.turn_id}, not knowing {unread}"
            )

    def sending(self, provider: Provider, entry: OutboxEntry) -> None:
        """A send leaves a process: its entry must be leased, and blind repeats are a person's to allow."""
        stored = self._world.database.rows("SELECT state, attempts FROM outbox WHERE id = ?", entry.id)
        if not stored or stored[0][1] < entry.attempts:
            self._broken(promise.UNSURE_IS_HELD, f"{entry.id} is sent and its send was not stored before")
        if entry.id in provider.unresolved and not provider.capabilities.honours_keys:
            self._broken(promise.UNSURE_IS_HELD, f"{entry.id} is sent again over {provider.name}, blindly")
        self._count(f"sent over {provider.name}")

    def acted(self, entry: ActionEntry, times: int) -> None:
        """The system of record did something."""
        self._count("acted")
        if times > 1:
            self._broken(promise.DONE_ONCE, f"{entry.id} was done {times} times")
        stored = self._world.database.rows("SELECT state, approved_by FROM actions WHERE id = ?", entry.id)
        if not stored or stored[0][1] is None:
            self._broken(promise.DONE_ONCE, f"{entry.id} was done and nobody let it through")
        elif stored[0][0] in ("failed", "dropped"):
            self._broken(promise.DONE_ONCE, f"{entry.id} counts as {stored[0][0]} and was done after that")

    def landed(self, provider: Provider, entry: OutboxEntry) -> None:
        """A customer sees a message."""
        if provider.times[entry.id] > 1:
            self._broken(promise.NOT_TWICE, f"{entry.id} was shown {provider.times[entry.id]} times by {provider.name}")
        shown = self._shown.setdefault(entry.conversation_id, [])
        if shown and entry.seq < shown[-1] and entry.id not in self._put_back:
            self._broken(promise.IN_ORDER, f"{entry.id} (seq {entry.seq}) was shown after seq {shown[-1]}")
        shown.append(entry.seq)
        alike = [
            other.entry.id
            for other in provider.landed
            if other.entry.turn_id == entry.turn_id
            and other.entry.author is entry.author
            and other.entry.id != entry.id
            and (entry.turn_id is not None or other.entry.text == entry.text)
            and (entry.author.value != "reviewer" or other.entry.text == entry.text)
        ]
        if alike:
            self._broken(promise.NOT_TWICE, f"{entry.id} says for {entry.turn_id} what {alike} said")
        undone = self._world.database.rows(
            "SELECT id, state FROM actions WHERE turn_id = ? AND state NOT IN ('done', 'dropped')", entry.turn_id
        )
        if undone and entry.author.value == "agent":
            self._broken(promise.DONE_ONCE, f"{entry.id} was shown while {undone} of its turn are not done")
        stored = self._world.database.rows("SELECT text, state FROM outbox WHERE id = ?", entry.id)
        if stored and stored[0][1] == "dead":
            self._broken(promise.UNSURE_IS_HELD, f"{entry.id} was given up as not arrived, and arrived")
        if not stored or stored[0][0] != entry.text:
            self._broken(promise.DECIDED, f"{entry.id} was shown with another text than was queued")
        turn = self._world.database.rows("SELECT state FROM turns WHERE id = ?", entry.turn_id)
        is_hand_off = entry.author.value == "safe_reply" and entry.turn_id in self._handed_off  # what was said of it
        if turn and turn[0][0] == "superseded" and not is_hand_off:
            self._broken(promise.NOT_VOID, f"{entry.id} of {entry.turn_id} was shown, and that turn is superseded")


def _us(entry: LedgerEntry) -> int:
    """A ledger entry's moment as the tables keep it."""
    return int(START.timestamp()) * 1_000_000 + round((entry.at - START).total_seconds() * 1_000_000)
