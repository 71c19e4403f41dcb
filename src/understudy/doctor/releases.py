"""What `understudy doctor` says of releases: who really answers, and what the configuration states that nobody let out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from understudy.doctor.result import Result
from understudy.errors import UnderstudyError
from understudy.records.release import Stage, Stated, is_unverified
from understudy.records.rollout import AgentReleases
from understudy.records.spread import Pace, how_far
from understudy.settings.model import Settings
from understudy.settings.stated import stated


def releases(settings: Settings, base: Path) -> Iterator[Result]:
    """Look at the versions that are configured and at what became of them; says nothing where there is neither."""
    from understudy.databases import open_releases

    try:
        found = stated(settings, base)
        with open_releases(settings, base, version_of=lambda _entry: None) as known:
            agents = asyncio.run(known.reports.agents())
    except UnderstudyError as error:
        yield Result(what="releases", state="error", says=error.message, mend="see docs/how-to/release-a-change.md")
        return
    for agent in agents:
        if agent.releases:
            yield from _of_agent(agent)
        yield from _unreleased(agent, found)
    if any(agent.releases for agent in agents) and settings.releases.rollback == "report":
        says = "a regression is only told of; nobody takes the release back"
        yield Result(what="releases.rollback", state="warning", says=says, mend='set rollback = "automatic"')


def _of_agent(agent: AgentReleases) -> Iterator[Result]:
    what = f"releases of {agent.agent}"
    full = next((one for one in agent.releases if one.release.stage is Stage.FULL), None)
    if full is None:
        yield Result(what=what, state="error", says="none answers", mend="see `understudy release list`")
    elif not full.is_stated:
        says = f"{full.release.id}, which answers, is not what agents.{full.release.entry} states: every draft waits for a person"
        mend = f"put its settings and files back, or release what stands there: understudy release create {agent.agent}"
        yield Result(what=what, state="error", says=says, mend=mend)
    else:
        yield Result(what=what, state="ok", says=f"{full.release.id} (agents.{full.release.entry}) answers")
    for one in agent.releases:
        release = one.release
        if one.gate is not None and one.gate.state in (Pace.PENDING, Pace.RUNNING):
            refused = next((run.refused for run in one.gate.runs if run.refused), None)
            state: Literal["ok", "warning"] = "ok" if refused is None else "warning"
            mend = "" if refused is None else "mend that, or ask for the gate again: understudy release create --server"
            yield Result(what=what, state=state, says=f"{release.id}: {how_far(one.gate)}", mend=mend)
        if is_unverified(release):
            says = f"{release.id} was rolled back, and the old release does not answer: {release.unverified}"
            yield Result(what=what, state="error", says=says, mend="mend that; the server probes again by itself")
        elif release.stage in (Stage.SHADOW, Stage.CANARY):
            held = "" if release.hold is None else f", on hold by {release.hold.by}"
            says = f"{release.id} (agents.{release.entry}) is {release.stage.value}{held}"
            gone = "" if one.is_stated else "put its settings back, or roll it back"
            yield Result(what=what, state="ok" if one.is_stated else "warning", says=says, mend=gone)


def _unreleased(agent: AgentReleases, found: Mapping[str, Stated]) -> Iterator[Result]:
    """Entries that are versions of an agent and no release yet, and those that cannot be rehearsed."""
    known = {one.release.id for one in agent.releases}
    own = found.get(agent.agent)
    for entry, one in found.items():
        if one.agent != agent.agent or entry == agent.agent:
            continue
        if own is not None and one.id == own.id:
            says, mend = f"is the same as agents.{agent.agent}", "change it, or take it away"
            yield Result(what=f"agents.{entry}", state="warning", says=says, mend=mend)
        elif one.id not in known:
            says = f"is a version of {agent.agent} and no release, so it drafts for nobody"
            yield Result(what=f"agents.{entry}", state="ok", says=says, mend=f"understudy release create {entry}")
        if not one.can_rehearse:
            says = "may act when it is asked, so it cannot run in shadow and no probe can ask it after a rollback"
            mend = "let it do nothing when the request says `rehearsal`, and set honours_rehearsal = true"
            yield Result(what=f"agents.{entry}", state="warning", says=says, mend=mend)
