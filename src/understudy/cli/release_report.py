"""Releases in words and tables, for people at the command line; it reads no store."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table

from understudy.cli.plain_text import shown
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import NEXT, Release, Stage, is_unverified
from understudy.records.rollout import AgentReleases, ReleaseStatus
from understudy.records.spread import Pace, how_far

FLIPPED_SHOWN = 10


def created(release: Release) -> str:
    """What came of `release create`."""
    if release.stage is Stage.FULL:
        return f"{release.id}: agents.{release.entry} is the first release of {release.agent}, and answers as before."
    if release.stage is Stage.GATED:
        how = f"its gate was waived ({release.waived})" if release.waived else "it passed its gate"
        return f"{release.id}: agents.{release.entry} is a release, and {how}. Next: understudy release promote {release.id}"
    gate = release.gate
    if gate is None:
        return (
            f"{release.id}: agents.{release.entry} is a release. No gate has compared it with what answers now, so it stays "
            "where it is; `understudy release create` runs one where a suite is configured, --waive-gate --why … does without."
        )
    return f"{release.id}: {gated(gate)}"


def at_gate(found: ReleaseStatus) -> str:
    """What creating a release has come to where servers run its gate."""
    release, gate = found.release, found.gate
    if gate is None or gate.state is Pace.DECIDED:
        return created(release)
    show = f"understudy release show {release.id}"
    return f"{release.id}: agents.{release.entry} is a release, and {shown(how_far(gate))}. How far it is: {show}"


def gated(gate: GateResult) -> str:
    """What a gate found."""
    low, high = gate.interval
    words = [
        f"the gate says {gate.verdict.value}: {gate.reason}",
        f"effect {gate.effect:+.3f} [{low:+.3f}, {high:+.3f}] in {gate.pairs} pairs of {gate.suite}, {gate.errors} errors",
    ]
    words += [f"blocked by {case}" for case in gate.blocked_by]
    words += [
        f"{flip.case}: {flip.baseline_loss:.2f} -> {flip.candidate_loss:.2f}, {flip.why}"
        for flip in gate.flipped[:FLIPPED_SHOWN]
    ]
    if gate.verdict is GateVerdict.INCONCLUSIVE and gate.would_decide:
        words.append(gate.would_decide)
    return "\n  ".join(str(shown(word)) for word in words)


def promoted(release: Release) -> str:
    """What a promotion means from now on."""
    match release.stage:
        case Stage.SHADOW:
            means = "it drafts beside what answers; nothing of it is sent"
        case Stage.CANARY:
            means = f"it drafts for {release.share:.0%} of the conversations that begin from now on"
        case Stage.FULL:
            means = "it drafts for every conversation that begins from now on"
        case _:
            means = f"it is {release.stage.value}"
    return f"{release.id} ({release.entry}) is {release.stage.value}: {means}."


def rolled_back(release: Release, answers: Release | None, *, waited_s: float) -> str:
    """What a rollback did, and whether anybody saw it."""
    by = "nothing that was ever released" if answers is None else f"{answers.id} ({answers.entry})"
    first = f"{release.id} is rolled back: from now on every draft comes from {by}."
    if release.verified_at is not None:
        return f"{first}\nVerified: a probe was answered by the old release."
    if release.unverified is not None:
        return f"{first}\nNOT VERIFIED: {shown(release.unverified)}"
    return (
        f"{first}\nNobody has seen yet that it answers: no server said so within {waited_s:g} s. One that runs, or is started, "
        "probes it; `understudy release status` shows what it found."
    )


def show_list(agents: Sequence[AgentReleases]) -> None:
    """Print all releases as one table."""
    table = Table("release", "agent", "entry", "stage", "since", "by", "why")
    for agent in agents:
        for one in agent.releases:
            release = one.release
            last = release.moves[-1] if release.moves else None
            table.add_row(
                release.id,
                shown(release.agent),
                shown(release.entry) + ("" if one.is_stated else " (gone)"),
                _stage(release),
                f"{release.since:%d %b %H:%M}",
                shown("" if last is None else last.by),
                shown("" if last is None else last.why),
            )
    if table.row_count:
        Console().print(table)
    else:
        typer.echo("There is no release yet. `understudy release create NAME` makes one of agents.NAME.")


def show_status(agents: Sequence[AgentReleases]) -> None:
    """Print who answers, what is being tried, and what follows."""
    console = Console(soft_wrap=True, highlight=False)
    for agent in agents:
        if not agent.releases:
            console.print(f"{shown(agent.agent)}: no release yet; it answers as agents.{shown(agent.agent)} says")
            continue
        full = next((one for one in agent.releases if one.release.stage is Stage.FULL), None)
        console.print(f"{shown(agent.agent)}: {_who_answers(full)}")
        for one in agent.releases:
            if is_unverified(one.release):
                words = f"  ROLLBACK NOT VERIFIED: {one.release.id}: {shown(one.release.unverified or '')}"
                console.print(words, style="bold red", markup=False)
            if one.release.stage in (Stage.CREATED, Stage.GATED, *NEXT):
                _show_progress(console, one)


def show_one(found: ReleaseStatus) -> None:
    """Print everything about one release."""
    release, console = found.release, Console(soft_wrap=True, highlight=False)
    console.print(
        f"{release.id} of {shown(release.agent)}, agents.{shown(release.entry)}: {_stage(release)}", markup=False
    )
    for part in release.parts:
        console.print(f"  {part.name}: {shown(part.words)} ({part.digest[:12]})", markup=False)
    if release.gate is not None:
        console.print(f"  {gated(release.gate)}", markup=False)
    if release.waived:
        console.print(f"  gate waived: {shown(release.waived)}", markup=False)
    _show_progress(console, found)
    for move in release.moves:
        why = f": {shown(move.why)}" if move.why else ""
        console.print(f"  {move.at:%d %b %H:%M:%S} {move.what} by {shown(move.by)}{why}", markup=False)


def _show_progress(console: Console, one: ReleaseStatus) -> None:
    release = one.release
    held = "" if release.hold is None else f", on hold by {shown(release.hold.by)}"
    share = f" for {release.share:.0%} of new conversations" if release.stage is Stage.CANARY else ""
    advice = "" if one.advice is None else f"; {one.advice.step.value}: {one.advice.why}"
    words = f"  {release.id} ({shown(release.entry)}) is {release.stage.value}{share}{held}{advice}"
    console.print(words, markup=False)
    if one.gate is not None and one.gate.state in (Pace.PENDING, Pace.RUNNING):
        console.print(f"  {shown(how_far(one.gate))}", markup=False)
    _show_redrafts(console, one)
    if not one.signals:
        return
    table = Table("signal", "comparisons", "worse by", "no worse", "worse", "says")
    for signal in one.signals:
        by = "–" if signal.difference is None else f"{signal.difference:+.3f}"
        table.add_row(
            signal.signal.value,
            str(signal.pairs),
            by,
            f"{signal.no_worse} of 100",
            f"{signal.worse} of 100",
            signal.trend.value,
        )
    console.print(table)
    counts = f"  {one.conversations} conversations, {one.rehearsals} rehearsals, {one.harms} harmful replies"
    console.print(counts, markup=False)


def _show_redrafts(console: Console, one: ReleaseStatus) -> None:
    for of in one.redrafts:
        more = [
            f"{count} {words}"
            for count, words in (
                (of.kept, "keep a bad label"),
                (of.apart, "left to people by a rule"),
                (of.failed, "could not be made"),
            )
            if count
        ]
        words = [f"{of.same} say the same", f"{of.asked} judged anew ({of.awaited} still wait)", *more]
        where = f"{shown(of.topic)} × {shown(of.channel)}"
        console.print(f"  redrafts on {where}: {of.done} of {of.drawn}; {', '.join(words)}", markup=False)


def _who_answers(full: ReleaseStatus | None) -> str:
    if full is None:
        return "no release answers for all"
    gone = "" if full.is_stated else ", which this configuration does not state: every draft waits for a person"
    return f"{full.release.id} ({shown(full.release.entry)}) answers since {full.release.since:%d %b %H:%M} UTC{gone}"


def _stage(release: Release) -> str:
    return release.stage.value + (" (held)" if release.hold is not None else "")
