"""What people do on a stage (tests/stage.py): they give verdicts, and may be let go on until nobody waits."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from understudy.contacts.desk import ContactDesk
from understudy.errors import Conflict
from understudy.pledges.desk import PledgeDesk
from understudy.records.pledges import USUAL_PLEDGES
from understudy.records.review import Hold, HoldKind, Verdict, VerdictKind, VerdictRequest
from understudy.records.turn import OPEN
from understudy.staffing.desk import StaffingDesk
from understudy.staffing.flow import StaffingFlow

if TYPE_CHECKING:
    from stage import Stage


class People:
    """A part of every stage."""

    @property
    def contacts(self: Stage) -> ContactDesk:
        """The desk of a lead who looks after who customers are."""
        return ContactDesk(self.store, self.clock, rules=lambda: self.rulebook.rules)

    @cached_property
    def pledges(self: Stage) -> PledgeDesk:
        """Where what was promised to customers is looked after."""
        return PledgeDesk(self.store, self.clock, self, terms=USUAL_PLEDGES)

    @property
    def beside(self: Stage) -> tuple[Any, ...]:
        """What else is looked at with each sweep."""
        return self.learning, self.pledges, self.staffing

    @cached_property
    def staffing(self: Stage) -> StaffingFlow:
        """What sees to it that hand-offs find people."""
        plan = self.plan
        return StaffingFlow(self.store, self.clock, self, staffing=plan.staffing, nobody_home=plan.nobody_home)

    @cached_property
    def teams(self: Stage) -> StaffingDesk:
        """Where a lead sees who is here."""
        return StaffingDesk(self.store, self.clock, self, staffing=self.plan.staffing)

    def give(
        self: Stage,
        hold: Hold,
        kind: VerdictKind,
        text: str | None = None,
        *,
        reviewer: str = "rosa",
        version: int | None = None,
        **said: Any,
    ) -> Verdict:
        """Give a verdict; nothing is sent yet."""
        needs_text = kind in (VerdictKind.EDIT, VerdictKind.RESPOND) and text is None
        request = VerdictRequest(
            hold_id=hold.id,
            version=version or hold.version,
            kind=kind,
            reviewer=reviewer,
            text="Written by a person." if needs_text else text,
            **said,
        )
        return self.run(self.verdicts.give(request))

    def let_people_finish(self: Stage) -> None:
        """Let time pass and people decide until nobody waits: drafts are approved, hand-offs answered by hand, and of
        an unsure send they say what the channel knows.
        """
        for _ in range(50):
            self.pass_time(3600)
            if self.is_quiet:
                return
            for hold in self.open_holds:
                try:
                    first = self.read(lambda tx, hold=hold: tx.conversations.get(hold.conversation_id)).taken_by
                    self.give(hold, self._sensible(hold), f"By hand, for {hold.turn_id}.", take_from=first)
                except Conflict:
                    continue  # It changed with what was decided just before; it is looked at again.
                self.settle()
        raise AssertionError(f"people were given new holds for ever: {self.open_holds}")

    @property
    def is_quiet(self: Stage) -> bool:
        """Whether nobody waits for anything."""
        later = self.clock.now() + timedelta(days=365)
        is_sending = self.read(lambda tx: tx.outbox.due(later, limit=1))
        is_acting = self.read(lambda tx: tx.actions.due(later, limit=1))
        return (
            not self.open_holds
            and not is_sending
            and not is_acting
            and not any(turn.state in OPEN for turn in self.turns)
        )

    def _sensible(self: Stage, hold: Hold) -> VerdictKind:
        match hold.kind:
            case HoldKind.DRAFT:
                return VerdictKind.APPROVE
            case HoldKind.HAND_OFF:
                return VerdictKind.RESPOND
            case HoldKind.UNSURE_SEND:
                entry = self.read(lambda tx: tx.outbox.head(hold.conversation_id))
                assert entry is not None, "an unsure send stands before everything else"
                return VerdictKind.REJECT if self.channel.times_delivered(entry.id) else VerdictKind.APPROVE
            case HoldKind.UNSURE_ACTION:
                action = self.read(lambda tx: tx.actions.head(hold.conversation_id))
                assert action is not None, "an unsure action stands before every other"
                is_done = self.plan.executors[action.name].times_done[action.id] > 0
                return VerdictKind.REJECT if is_done else VerdictKind.APPROVE
