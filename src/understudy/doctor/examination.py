"""Find what is misconfigured, unreachable or risky, and say how to mend it; it prints nothing.

It makes an empty store where there is none, as `serve` would; it changes nothing else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr

from understudy.doctor.actions import actions
from understudy.doctor.channels import channels
from understudy.doctor.people import wishes
from understudy.doctor.releases import releases
from understudy.doctor.result import Result
from understudy.doctor.sign_in import sign_in
from understudy.doctor.systems import systems
from understudy.doctor.teams import teams
from understudy.errors import UnderstudyError
from understudy.ports.agent import Agent
from understudy.ports.opinion import SecondOpinion
from understudy.ports.summariser import Summariser
from understudy.records.policy import PolicyRule
from understudy.records.rulebook import Level
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

AGENT_WITHIN_S = 10.0
BLOT: Final = "•••"
SECRET_CHARS_MIN: Final = 4
_USER_IN_URL: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/@\s]+@", re.IGNORECASE)
_QUERY_IN_URL: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?'\"]+\?)[^\s'\"]+", re.IGNORECASE)
"""Some services take their key there."""


def examine(settings: Settings, base: Path, *, console_missing: str | None) -> list[Result]:
    """Look at the store, the agents, the channels and the rules; it may take as long as those take to answer.

    `console_missing` says what to do where the console is not part of this package. What is said holds no secret of the
    settings.
    """
    results = [Result(what="configuration", state="ok", says="every key is known and every value in range")]
    try:
        results += [
            *_rules(settings),
            *_store(settings, base, console_missing),
            *_agents(settings, base),
            *_opinions(settings, base),
            *_summaries(settings),
            *channels(settings),
            *wishes(settings),
            *systems(settings),
            *actions(settings),
            *sign_in(settings),
        ]
        if not is_broken(results):
            results += releases(settings, base)
        results += _wiring(settings)
    except UnderstudyError as error:
        results = [refusal(error)]
    return [without_secrets(result, settings) for result in results]


def refusal(error: UnderstudyError) -> Result:
    """What is said where the configuration itself cannot be used."""
    return Result(what="configuration", state="error", says=error.message, mend="see docs/reference/settings.md")


def is_broken(results: list[Result]) -> bool:
    """Whether something does not work."""
    return any(result.state == "error" for result in results)


def without_secrets(result: Result, settings: Settings) -> Result:
    """The same with every secret of the settings, whoever signs in by a URL and its query blotted out: providers quote what they get."""
    secrets = sorted(_secrets(settings), key=len, reverse=True)

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, BLOT)
        return _QUERY_IN_URL.sub(rf"\1{BLOT}", _USER_IN_URL.sub(rf"\1{BLOT}@", text))

    return replace(result, what=clean(result.what), says=clean(result.says), mend=clean(result.mend))


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        if len(value.get_secret_value()) >= SECRET_CHARS_MIN:
            yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            part = getattr(value, name)
            is_header = name in ("headers", "credentials") and isinstance(part, dict)
            yield from (str(one) for one in part.values() if isinstance(one, str)) if is_header else ()
            yield from _secrets(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _secrets(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _secrets(part)


def _rules(settings: Settings) -> Iterator[Result]:
    from understudy.plugins import installed_checks, known_checks

    try:
        rulebook = rulebook_of(settings)
    except ValueError as error:
        yield Result(what="rules", state="error", says=str(error), mend="correct it in understudy.toml")
        return
    yield Result(what="rules", state="ok", says=f"rulebook {rulebook.id[:12]}")
    yield from _policy(rulebook.rules.policy)
    known = known_checks()
    for name in sorted(installed_checks().keys() - settings.checks.keys()):
        says = "is installed and does not run"
        yield Result(what=f"checks.{name}", state="warning", says=says, mend=f"add [checks.{name}] to run it")
    for name, check in sorted(settings.checks.items()):
        if name not in known:
            yield Result(
                what=f"checks.{name}",
                state="error",
                says="there is no such check",
                mend=f"known: {', '.join(sorted(known))}",
            )
        elif not check.enabled:
            yield Result(what=f"checks.{name}", state="warning", says="is switched off", mend="set enabled = true")
        elif check.on_failure == "ignore":
            yield Result(
                what=f"checks.{name}",
                state="warning",
                says="a draft passes although this check could not tell",
                mend='set on_failure = "hold"',
            )
    automatic = [grant for grant in settings.autonomy.grants if grant.level in (Level.PROBATION, Level.AUTO)]
    says = (
        f"{len(automatic)} grant(s) let drafts leave without a person"
        if automatic
        else "every draft waits for a person"
    )
    yield Result(what="autonomy", state="ok", says=says)
    if not settings.safe_replies:
        yield Result(
            what="safe_replies",
            state="warning",
            says="none is approved, so a failing agent leaves every customer to a person",
            mend="add [safe_replies.NAME] and routing.degrade_on",
        )


def _policy(rules: tuple[PolicyRule, ...]) -> Iterator[Result]:
    """Try the examples beside each rule on wording."""
    from understudy.assessment.checks.policy import wrong_examples

    for rule in rules:
        what = f"policy.rules {rule.name}"
        wrong = wrong_examples(rule)
        for says in wrong:
            yield Result(what=what, state="error", says=says, mend="correct the example, the phrases or the patterns")
        if not (rule.passes and rule.fails):
            yield Result(
                what=what,
                state="warning",
                says="no example shows what it lets pass and what it does not",
                mend='add passes = ["…"] and fails = ["…"]',
            )
        elif not wrong:
            yield Result(
                what=what, state="ok", says=f"all {len(rule.passes) + len(rule.fails)} examples are as it says"
            )


def _store(settings: Settings, base: Path, console_missing: str | None) -> Iterator[Result]:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from understudy.databases import open_store

    try:
        store = open_store(settings, base)
    except (UnderstudyError, SQLAlchemyError) as error:
        says = error.message if isinstance(error, UnderstudyError) else str(error.args[0])
        yield Result(what="store", state="error", says=says, mend="check store.url and that the database runs")
        return
    try:
        kind = store.engine.dialect.name
        with store.engine.connect() as connection:
            if kind == "sqlite":
                durable = connection.execute(text("PRAGMA synchronous")).scalar() == 2
                found = "SQLite, WAL, synchronous=FULL"
            else:
                value = connection.execute(text("SHOW synchronous_commit")).scalar()
                durable, found = value == "on", f"PostgreSQL, synchronous_commit={value}"
        mend = "" if durable else "set synchronous_commit = on; else an acknowledged message can be lost"
        yield Result(what="store", state="ok" if durable else "error", says=found, mend=mend)
        keys = store.read_now(lambda tx: [key for key in tx.keys.all() if key.revoked_at is None])
        users = store.read_now(lambda tx: [user for user in tx.users.all() if user.disabled_at is None])
        if not keys and not users:
            yield Result(
                what="keys",
                state="warning",
                says="there is no API key and no user, so nobody can review",
                mend="understudy users add NAME, for the console; understudy keys create NAME, for programs",
            )
        yield _console(len(users), console_missing)
        yield from teams(settings, {*(user.name for user in users), *(key.name for key in keys)})
    finally:
        store.close_now()


def _console(users: int, missing: str | None) -> Result:
    if missing is not None:
        return Result(what="console", state="warning", says="is not part of this package", mend=missing)
    if not users:
        return Result(what="console", state="warning", says="nobody can sign in", mend="understudy users add NAME")
    return Result(what="console", state="ok", says=f"at /console/, for {users} user(s)")


def _agents(settings: Settings, base: Path) -> Iterator[Result]:
    from understudy.connections import build_agent

    if not settings.agents:
        yield Result(
            what="agents",
            state="warning",
            says="none is configured; only handed-over drafts work",
            mend="add [agents.NAME]",
        )
    for name, agent in settings.agents.items():
        mend = "see docs/how-to/connect-an-agent.md"
        yield _reached(f"agents.{name}", partial(build_agent, name, agent, base), mend)


def _opinions(settings: Settings, base: Path) -> Iterator[Result]:
    from understudy.connections import build_opinion

    for name, one in settings.opinions.items():
        mend = "see docs/how-to/ask-for-second-opinions.md"
        yield _reached(f"opinions.{name}", partial(build_opinion, name, one, base), mend)
        if one.on_failure == "ignore":
            says = "a draft passes although this opinion was not given"
            yield Result(what=f"opinions.{name}", state="warning", says=says, mend='set on_failure = "hold"')


def _summaries(settings: Settings) -> Iterator[Result]:
    from understudy.connections import build_summariser

    if (model := settings.summaries) is not None:
        yield _reached("summaries", partial(build_summariser, model), "see docs/how-to/staff-hand-offs.md")


def _reached(what: str, make: Callable[[], Agent | SecondOpinion | Summariser], mend: str) -> Result:
    """Build it and ask whether it can be reached."""
    try:
        says = asyncio.run(asyncio.wait_for(make().check(), AGENT_WITHIN_S))
        return Result(what=what, state="ok", says=says)
    except UnderstudyError as error:
        return Result(what=what, state="error", says=error.message, mend=mend)
    except TimeoutError:
        says = f"no answer within {AGENT_WITHIN_S:g} s"
        return Result(what=what, state="error", says=says, mend="see whether it runs")


def _wiring(settings: Settings) -> Iterator[Result]:
    """What `serve` would refuse although each part is sound by itself; said only where the parts are."""
    from understudy.app import check_wiring

    try:
        check_wiring(settings)
        yield Result(what="wiring", state="ok", says="agents, channels and replies fit together")
    except UnderstudyError as error:
        yield Result(what="wiring", state="error", says=error.message, mend="see docs/reference/settings.md")
