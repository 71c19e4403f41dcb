"""What tests of redrafts share: a baseline that answers alone by what it earned, and a release that its gate let through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stage_earning import LAX, QUICK, earn
from stage_releases import PASSES, begin, release_now, watch
from understudy.learning.ladder import Progress
from understudy.learning.rebuild import faults_of
from understudy.records.autonomy import Candidate, Epoch
from understudy.records.codec import load
from understudy.records.evidence import Draft
from understudy.records.redraft import RedraftPlan, RedraftTerms
from understudy.records.release import Release, Stage
from understudy.records.review import Hold, HoldKind
from understudy.records.rollout import ReleaseTerms
from understudy.records.rulebook import Level
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
TERMS = RedraftTerms(per_slice_max=500)
OLD, NEW = "It comes on Monday.", "It comes on Tuesday."
UNWATCHED = ReleaseTerms(pairs_min=1_000, takes_back=False)


def staged(build: Build, staging: Any, *, old: Any = OLD, new: Any = OLD, **plan: Any) -> Any:
    """A stage whose agent has two versions; nothing was asked of either yet."""
    own = ScriptedAgent(old, name="echo", version="v1")
    second = ScriptedAgent(new, name="echo-2", version="v2")
    given = {
        "rules": staging.rules(Level.ASSIST, grants=()),
        "targets": LAX,
        "terms": QUICK,
        "gate": PASSES,
        "release_terms": UNWATCHED,
        "redrafting": TERMS,
        "hold_expires_after_s": None,
        **plan,
    }
    return build(agent=own, versions={"echo-2": second}, **given)


def released(build: Build, staging: Any, *, to: Stage = Stage.SHADOW, **plan: Any) -> tuple[Any, Release]:
    """A stage whose slice answers alone, and a release of its second version on its way."""
    stage = staged(build, staging, **plan)
    earn(stage)
    return stage, begin(stage, to)


def redraft(stage: Any, rounds: int = 300) -> int:
    """Let a server's rounds pass until nothing more is redrafted; returns how many were made."""
    done = 0
    for _ in range(rounds):
        made = stage.run(stage.letting_out.redrafting.sweep())
        stage.settle()
        if not made:
            return done
        done += made
    raise AssertionError(f"{rounds} rounds and still something is redrafted")


def plan_of(stage: Any, release: Release) -> RedraftPlan:
    """How far the redrafts of a release are in the only slice."""
    (found,) = stage.read(lambda tx: tx.redrafts.of_release(release.id))
    return found


def redrafts_of(stage: Any, release: Release) -> list[Candidate]:
    """The redrafts that are evidence, or may become it, in their order."""
    channel = stage.channel.name
    found = stage.read(lambda tx: tx.candidates.following("orders", channel, release.key, after=0, limit=10_000))
    return [one for one in found if one.redraft_of is not None]


def asked(stage: Any) -> list[Hold]:
    """The redrafts that wait for people, in their order."""
    found = [hold for hold in stage.open_holds if hold.kind is HoldKind.REDRAFT]
    seqs = {hold.id: stage.read(lambda tx, h=hold: tx.candidates.of_turn(h.turn_id)).seq for hold in found}
    return sorted(found, key=lambda hold: seqs[hold.id])


def epoch_of(stage: Any, release: Release) -> Epoch | None:
    """The open epoch of a release in the only slice."""
    return stage.read(lambda tx: tx.epochs.current("orders", stage.channel.name, release.key))


def faults(stage: Any) -> list[str]:
    """What the ledger says is wrong with certificates."""
    return stage.read(faults_of)[1]


def drafted(text: str = OLD, **fields: Any) -> Draft:
    """A draft of the second version."""
    return replace(Draft(text=text, agent="echo-2", agent_version="v2"), **fields)


def progress(stage: Any, release: Any) -> Progress:
    return load(Progress, epoch_of(stage, release).progress)


def go_live(stage: Any, release: Any, share: float = 0.5) -> Any:
    now = release_now(stage, release)
    orders = stage.letting_out.orders
    moved = stage.run(orders.promote(release.id, version=now.version, by="Ines", to=Stage.CANARY, share=share))
    watch(stage)
    return moved
