"""The agent versions that a configuration states, each named by its content; it builds and asks none.

Files are named by what is in them. Secrets, addresses with what they may carry, and limits belong to no version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from understudy.errors import ConfigurationError
from understudy.records.codec import canonical, digest
from understudy.records.release import Part, Stated, content_id
from understudy.settings.model import (
    AgentSettings,
    AgentVersion,
    ChatCompletionsAgent,
    FaqAgent,
    HttpAgent,
    PythonAgent,
    ResponsesAgent,
    Settings,
)

FILES_MAX = 100_000
"""How many files one version may consist of."""
APART = frozenset({"api_key", "token", "headers", "version", "system_prompt", "knowledge", "base_url", "url", "model"})
"""Settings that are parts of their own, or secrets."""


def stated(settings: Settings, base: Path) -> dict[str, Stated]:
    """Every version by the entry it stands in; raises `ConfigurationError` where it cannot be read or makes no sense."""
    return {name: _stated(name, entry, settings, base) for name, entry in settings.agents.items()}


def agent_of(name: str, settings: Settings) -> str:
    """The agent that an entry is a version of; raises `ConfigurationError` where there is none by that name."""
    wanted = settings.agents[name].release_of
    if wanted is None:
        return name
    there = sorted(other for other, entry in settings.agents.items() if entry.release_of is None)
    if wanted not in there:
        raise ConfigurationError(f"agents.{name}.release_of: there is no agent {wanted!r}; there is: {there}")
    return wanted


def _stated(name: str, entry: AgentSettings, settings: Settings, base: Path) -> Stated:
    parts = tuple(_parts(name, entry, base))
    agent = agent_of(name, settings)
    return Stated(
        id=content_id(agent, parts),
        agent=agent,
        entry=name,
        parts=parts,
        may_act=isinstance(entry, HttpAgent | PythonAgent),
        honours_rehearsal=entry.honours_rehearsal,
    )


def _parts(name: str, entry: AgentSettings, base: Path) -> Iterator[Part]:
    match entry:
        case FaqAgent():
            yield _files("knowledge", f"agents.{name}.knowledge", [base / entry.knowledge])
        case ChatCompletionsAgent() | ResponsesAgent():
            where = _address(entry.base_url)
            yield _part("model", [entry.kind, where, entry.model], entry.model)
            prompt = entry.system_prompt or ""
            yield _part("prompt", prompt, f"{len(prompt.split())} words")
        case HttpAgent():
            yield _part("model", ["http", _address(entry.url)], "your own service")
        case PythonAgent():
            yield _source(entry.target, base)
    if entry.files:
        yield _files("files", f"agents.{name}.files", [base / path for path in entry.files])
    yield _settings_of(entry)


def _settings_of(entry: AgentSettings) -> Part:
    """The rest: the kind, the version it is given, which headers it gets, and whatever a kind may have besides."""
    rest: dict[str, Any] = entry.model_dump(mode="json", exclude={*APART, *AgentVersion.model_fields})
    version = getattr(entry, "version", None)
    headers = sorted(getattr(entry, "headers", {}))
    return _part("settings", [rest, version, headers], entry.kind if version is None else f"{entry.kind}, {version}")


def _part(name: str, content: Any, words: str) -> Part:
    return Part(name=name, digest=digest(canonical(content)), words=words)


def _address(url: str) -> list[str]:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return [parts.scheme, parts.hostname or "", str(parts.port or ""), parts.path]


def _source(target: str, base: Path) -> Part:
    """A function by the text of its module, where that is a file beside the configuration; else by its name alone."""
    module = target.partition(":")[0]
    for path in (base / f"{module.replace('.', '/')}.py", base / module.replace(".", "/") / "__init__.py"):
        if path.is_file():
            return _part("model", [target, _file_digest(path, f"the source of {target}")], target)
    return _part("model", [target], target)


def _files(name: str, setting: str, paths: list[Path]) -> Part:
    """Files by what is in them and by their places, those of a folder by their places in it."""
    found: list[list[str]] = []
    for number, path in enumerate(paths):
        if not path.exists():
            raise ConfigurationError(f"{setting}: {path} does not exist; create it, or correct the path")
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if _counts(file, path))
        root = path.parent if path.is_file() else path
        found += [[str(number), file.relative_to(root).as_posix(), _file_digest(file, setting)] for file in files]
        if len(found) > FILES_MAX:
            raise ConfigurationError(f"{setting}: more than {FILES_MAX} files belong to one version; name fewer")
    return _part(name, found, f"{len(found)} file{'' if len(found) == 1 else 's'}")


def _counts(file: Path, root: Path) -> bool:
    """Whether a file of a folder counts: hidden ones, and what programs leave behind, do not."""
    inside = file.relative_to(root).parts
    return file.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inside)


def _file_digest(path: Path, setting: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {path} cannot be read: {error.strerror}") from error


def by_agent(found: Mapping[str, Stated]) -> dict[str, tuple[Stated, ...]]:
    """The versions of each agent, its own entry first."""
    agents: dict[str, tuple[Stated, ...]] = {one.agent: () for one in found.values()}
    for agent in agents:
        own = [one for one in found.values() if one.agent == agent]
        agents[agent] = tuple(sorted(own, key=lambda one: one.entry != agent))
    return agents
