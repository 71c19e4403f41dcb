"""What `understudy doctor` says of teams: members whom nobody knows, and hand-offs that no team takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from understudy.doctor.result import Result
from understudy.settings.model import Settings


def teams(settings: Settings, known: Collection[str]) -> Iterator[Result]:
    """Look at each team; `known` are the names of users and API keys that are in force."""
    for name, team in settings.teams.items():
        what = f"team {name}"
        for member in sorted(set(team.members) - set(known)):
            says = f"nobody is known as {member!r}, so nothing is given to them"
            mend = f"understudy users add {member!r}, or correct teams.{name}.members; who signs in elsewhere is known then"
            yield Result(what=what, state="warning", says=says, mend=mend)
        if set(team.members) <= set(known):
            count = len(team.members)
            yield Result(what=what, state="ok", says=f"{count} {'person' if count == 1 else 'people'}")
    if settings.teams and not any(
        not (team.topics or team.languages or team.channels) for team in settings.teams.values()
    ):
        says = "no team takes hand-offs of every topic, language and channel: what none takes waits for whoever comes first"
        yield Result(what="teams", state="warning", says=says, mend="add a team without topics, languages and channels")
