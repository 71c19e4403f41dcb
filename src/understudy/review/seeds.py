"""Plant known-bad drafts in the review queue, so that it is known how many bad ones reviewers notice.

To a reviewer one looks like any draft on hold. Its turn is *planted*, a state with no way to delivery, and its
conversation a *rehearsal*, in which nothing is sent: whatever the verdict, it reaches nobody. When one is due is decided
where holds are opened, by a coin; which verdict caught it, in `seed_verdicts.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from understudy.assessment.alike import alike_of
from understudy.assessment.grading import SEVERE_REASONS
from understudy.effects.holds import hold_opened, open_hold
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.assessment import Assessment, DecisionKind, faults_of
from understudy.records.codec import digest, load
from understudy.records.conversation import Author, Conversation, Inbound, Message, Mode
from understudy.records.evidence import Draft, Evidence
from understudy.records.review import Hold, HoldKind, VerdictKind
from understudy.records.reviewing import Line, Rejected, Scene, Seed, SeedOrigin
from understudy.records.turn import Turn, TurnState
from understudy.review.second import OTHERS_WITHIN

LOOKED_AT_MAX = 200
"""Among so many drafts of the past, and so many of files, the next seed is drawn."""
MESSAGES_MAX = 200
HISTORY = "history"
"""Who added a seed that this store's own history gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A seed to plant, what it shows, and who must not get it because they know it."""

    seed: Seed
    scene: Scene
    knows: str | None


class Seeds:
    """See the module. Only drafts judged at least `age` ago are taken from history: who saw one has forgotten it."""

    def __init__(
        self, store: Store, clock: Clock, telemetry: Telemetry, *, age: timedelta, hold_expires_after_s: float | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._age = age
        self._hold_expires_after_s = hold_expires_after_s

    async def look(self, key: str) -> None:  # noqa: ARG002 - a job's key; which draft is planted is drawn here
        """Plant one, if there is any left."""
        draw = self._clock.random()

        def step(tx: Transaction) -> Hold | None:
            drawn = self._draw(tx, draw)
            return None if drawn is None else self._plant(tx, drawn)

        hold = await self._store.write(step)
        if hold is not None:
            self._telemetry.emit(hold_opened(hold))

    def _draw(self, tx: Transaction, draw: float) -> _Drawn | None:
        before = self._clock.now() - self._age
        past = [one for one in tx.seeds.rejected(before=before, limit=LOOKED_AT_MAX) if _is_bad(one)]
        bank: list[Rejected | Seed] = [*past, *tx.seeds.unplanted(limit=LOOKED_AT_MAX)]
        first = int(draw * len(bank))
        for chosen in (*bank[first:], *bank[:first]):
            drawn = self._from_file(chosen) if isinstance(chosen, Seed) else self._from_history(tx, chosen)
            if drawn is not None:
                return drawn
        return None

    def _from_file(self, seed: Seed) -> _Drawn:
        assert seed.body is not None, f"seed {seed.id} of a file shows nothing"
        return _Drawn(seed=seed, scene=load(Scene, seed.body), knows=None)

    def _from_history(self, tx: Transaction, rejected: Rejected) -> _Drawn | None:
        since = self._clock.now() - OTHERS_WITHIN
        turn = tx.turns.get(rejected.turn_id)
        scene = _scene_of(tx, turn)
        if scene is None or not tx.reviews.has_other(rejected.reviewer, since=since):
            return None  # who rejected it must not get it, so there has to be somebody else
        evidence = load(Evidence, scene.evidence)
        seed = Seed(
            id=self._clock.new_id("seed"),
            origin=SeedOrigin.HISTORY,
            source=turn.id,
            topic=evidence.topic,
            channel=turn.channel,
            added_by=HISTORY,
            added_at=self._clock.now(),
        )
        tx.seeds.add(seed)
        return _Drawn(seed=seed, scene=scene, knows=rejected.reviewer)

    def _plant(self, tx: Transaction, drawn: _Drawn) -> Hold:
        now = self._clock.now()
        seed, scene = drawn.seed, drawn.scene
        assessment = load(Assessment, scene.assessment)
        conversation = self._rehearsal(tx, seed, scene, now)
        turn = tx.turns.add(self._turn(seed, scene, assessment, conversation, now))
        self._say(tx, turn, scene, now)
        for kind, document in (("draft", scene.draft), ("evidence", scene.evidence), ("assessment", scene.assessment)):
            tx.artifacts.put(turn.id, kind, document)
        tx.ledger.append(
            "seed.planted", at=now, turn_id=turn.id, conversation_id=conversation.id, seed=seed.id, source=seed.source
        )
        tx.ledger.append(
            "turn.decided",
            at=now,
            turn_id=turn.id,
            conversation_id=conversation.id,
            decision=DecisionKind.HOLD.value,
            reasons=list(turn.reasons),
            rulebook=assessment.rulebook_id,
            assessment=digest(scene.assessment),
            evidence=digest(scene.evidence),
            candidate=None,
        )
        hold = open_hold(
            tx,
            self._clock,
            turn,
            kind=HoldKind.DRAFT,
            reasons=turn.reasons,
            priority=assessment.decision.priority,
            expires_after_s=self._hold_expires_after_s,
            alike=alike_of(load(Draft, scene.draft), assessment, topic=turn.topic, channel=turn.channel),
        )
        if drawn.knows is not None:
            tx.reviews.bar(hold.id, drawn.knows)
        tx.seeds.change(replace(seed, planted_at=now, turn_id=turn.id, hold_id=hold.id))
        return hold

    def _rehearsal(self, tx: Transaction, seed: Seed, scene: Scene, now: datetime) -> Conversation:
        """A conversation with nobody; its address is the name of the true one, which is what reviewers are shown."""
        name = self._clock.new_id("rehearsal")
        contact_id = scene.contact_id
        if contact_id is None:
            inbound = Inbound(
                provider_id=name, external_id=name, address=name, text="", contact_name=scene.contact_name
            )
            contact_id = tx.contacts.resolve(seed.channel, inbound, new_id=self._clock.new_id("contact"), now=now).id
        conversation = Conversation(
            id=self._clock.new_id("conv"),
            contact_id=contact_id,
            channel=seed.channel,
            external_id=name,
            address=scene.external_id,
            mode=Mode.REHEARSAL,
            taken_by=None,
            created_at=now - timedelta(seconds=max([line.before_s for line in scene.lines], default=0.0)),
        )
        tx.conversations.add(conversation)
        return conversation

    def _turn(
        self, seed: Seed, scene: Scene, assessment: Assessment, conversation: Conversation, now: datetime
    ) -> Turn:
        draft = load(Draft, scene.draft)
        return Turn(
            id=self._clock.new_id("turn"),
            conversation_id=conversation.id,
            channel=seed.channel,
            state=TurnState.PLANTED,
            due_at=None,
            topic=seed.topic,
            agent_version=draft.agent_version,
            decision=DecisionKind.HOLD,
            reasons=tuple(reason.code for reason in assessment.decision.reasons),
            confidence=None if assessment.confidence is None else assessment.confidence.value,
            rulebook_id=assessment.rulebook_id,
            created_at=now - timedelta(seconds=scene.took_s),
            decided_at=now,
            findings=faults_of(assessment),
        )

    def _say(self, tx: Transaction, turn: Turn, scene: Scene, now: datetime) -> None:
        """Write the conversation anew, as if its last message had come just now."""
        for line in scene.lines:
            message = Message(
                seq=0,
                id=self._clock.new_id("msg"),
                conversation_id=turn.conversation_id,
                turn_id=turn.id if line.is_asked else self._clock.new_id("turn"),
                author=line.author,
                author_name=line.author_name,
                text=line.text,
                at=now - timedelta(seconds=line.before_s),
                provider_id=None,
            )
            tx.messages.add(message, channel=turn.channel)


def _is_bad(one: Rejected) -> bool:
    return one.kind is VerdictKind.REJECT or not SEVERE_REASONS.isdisjoint(reason.lower() for reason in one.reasons)


def _scene_of(tx: Transaction, turn: Turn) -> Scene | None:
    """What a reviewer saw of a turn of the past; None where it cannot be shown as it was."""
    documents = [tx.artifacts.get(turn.id, kind) for kind in ("draft", "evidence", "assessment")]
    draft, evidence, assessment = documents
    messages = tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX)
    asked = [one for one in messages if one.turn_id == turn.id and one.author is Author.CUSTOMER]
    if draft is None or evidence is None or assessment is None or not asked or turn.decided_at is None:
        return None
    decided_at = turn.decided_at
    shown = [one for one in messages if one.seq <= asked[-1].seq]
    conversation = tx.conversations.get(turn.conversation_id)
    contact = tx.contacts.get(conversation.contact_id)
    return Scene(
        lines=tuple(
            Line(
                author=one.author,
                author_name=one.author_name,
                text=one.text,
                before_s=max(0.0, (decided_at - one.at).total_seconds()),
                is_asked=one in asked,
            )
            for one in shown
        ),
        draft=draft,
        evidence=evidence,
        assessment=assessment,
        contact_id=contact.id,
        contact_name=contact.name,
        external_id=conversation.external_id,
        took_s=max(0.0, (decided_at - turn.created_at).total_seconds()),
    )
