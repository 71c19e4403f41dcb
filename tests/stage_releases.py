"""The releases of a stage (tests/stage.py): the versions of its agent, and the flows that let them out and watch them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stage_plan import Plan
from understudy.assessment.check import Check
from understudy.learning.redrafting import Redrafting
from understudy.ports.agent import Agent
from understudy.ports.clock import Clock
from understudy.ports.store import Store
from understudy.ports.telemetry import ReleaseMoved, Telemetry
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import Release, Stage
from understudy.records.rollout import ReleaseStatus, ReleaseTerms
from understudy.release.forgetting import Forgetting
from understudy.release.orders import ReleaseOrders
from understudy.release.probing import Probing
from understudy.release.rehearsing import Rehearsing
from understudy.release.status import ReleaseReports
from understudy.release.watching import ReleaseWatch
from understudy.settings.stated import by_agent
from understudy.testing.scripted import FROZEN_START, ScriptedAgent
from understudy.turn.drafting import Drafting
from understudy.turn.opinions import SecondOpinions
from understudy.turn.releases import Picks, Routes


class Versions:
    """Who is asked on a stage, and which release of it."""

    def __init__(self, plan: Plan, clock: Clock, agents: Sequence[Agent]) -> None:
        versions = by_agent(plan.stated)
        entries = plan.entries | {agent.name: agent for agent in agents}
        self.picks = Picks({"": tuple(agent.name for agent in agents)}, entries, versions)
        self.routes = Routes(clock, self.picks.names, versions)


class LettingOut:
    """What is ordered of releases on a stage, and what watches them."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        versions: Versions,
        checks: tuple[Check, ...],
    ) -> None:
        terms: dict[str, Any] = {"terms": plan.release_terms}
        by_id = {one.id: one for one in plan.stated.values()}
        picks = versions.picks
        own = Drafting(clock, telemetry, lambda request: (picks.only(request.chosen[0]),), limits=plan.drafting)
        ask, would_draft = own.draft, versions.routes.would_draft
        self.orders = ReleaseOrders(
            store,
            clock,
            telemetry,
            plan.stated,
            version_of=lambda entry: plan.entries[entry].version,
            gate=plan.gate,
            **terms,
        )
        self.reports = ReleaseReports(store, clock, plan.stated, **terms)
        self.watch = ReleaseWatch(store, clock, telemetry, **terms)
        self.probing = Probing(store, clock, telemetry, by_id, ask=ask, would_draft=would_draft, **terms)
        self.rehearsing = Rehearsing(store, clock, by_id, ask=ask, checks=checks, **terms)
        self.redrafting = Redrafting(
            store,
            clock,
            telemetry,
            lambda: plan.rules,
            by_id,
            ask=ask,
            checks=checks,
            terms=plan.redrafting,
            tuned_on=lambda: frozenset(plan.tuned_on),
            opine=SecondOpinions(clock, plan.opinions).ask if plan.opinions else None,
        )
        self.forgetting = Forgetting(store, clock, **terms)


def gate_saying(verdict: GateVerdict, **fields: Any) -> Any:
    """A gate that says this about whatever it is given."""

    async def gate(candidate: Release, baseline: Release) -> GateResult:
        given: dict[str, Any] = {
            "id": "g",
            "suite": "edge",
            "suite_digest": "d",
            "baseline": baseline.id,
            "candidate": candidate.id,
            "verdict": verdict,
            "reason": f"it is a {verdict.value}",
            "effect": 0.0,
            "interval": (-0.1, 0.1),
            "pairs": 100,
            "errors": 0,
            "flipped": (),
            "blocked_by": (),
            "would_decide": "more pairs" if verdict is GateVerdict.INCONCLUSIVE else None,
            "at": FROZEN_START,
        }
        return GateResult(**{**given, **fields})

    return gate


PASSES = gate_saying(GateVerdict.PASS)


TERMS = ReleaseTerms(pairs_min=10, days_min=0.0)
"""A release is judged early and may go on at once."""


def two_versions(build: Callable[..., Any], *, new: Any = "The new answer.", **plan: Any) -> Any:
    """A stage whose agent has a second version that answers in other words; a gate lets it through."""
    own = ScriptedAgent("The old answer.", name="echo", version="v1")
    second = ScriptedAgent(new, name="echo-2", version="v2")
    return build(agent=own, versions={"echo-2": second}, **{"gate": PASSES, **plan})


def begin(stage: Any, to: Stage, share: float = 0.5) -> Release:
    """Adopt the agent as it is, and bring its second version to a stage."""
    orders = stage.letting_out.orders
    stage.run(orders.create("echo", by="Ines"))
    release = stage.run(orders.create("echo-2", by="Ines"))
    moved: Release = stage.run(orders.promote(release.id, version=None, by="Ines", to=to, share=share))
    return moved


def watch(stage: Any) -> None:
    """Let a server's round pass: what is in shadow rehearses, what is being tried is watched, rollbacks are probed."""
    flows = stage.letting_out
    for look in (flows.rehearsing, flows.forgetting, flows.watch, flows.probing):
        stage.run(look.sweep())
    stage.settle()


def release_now(stage: Any, release: Release) -> Release:
    """A release as it stands."""
    found: Release = stage.read(lambda tx: tx.releases.get(release.id))
    return found


def ask(stage: Any) -> Any:
    """Let a customer begin a conversation; returns its turn."""
    return stage.ask("When does it come?", to=stage.clock.new_id("e"))


def status(stage: Any, release: Release) -> ReleaseStatus:
    """What is told of a release."""
    found: ReleaseStatus = stage.run(stage.letting_out.reports.release(release.id))
    return found


def told(stage: Any) -> list[str]:
    """What was told of releases, in order."""
    return [event.what for event in stage.emitted(ReleaseMoved)]
