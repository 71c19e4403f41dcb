"""Read `understudy.toml` and the environment into settings; an unknown key is an error that names the nearest one.

`UNDERSTUDY__SECTION__KEY` stands above the file; `UNDERSTUDY__…__KEY_FILE` names a file that holds the value (a
mounted secret). Relative paths in the file are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from rapidfuzz import fuzz, process

from understudy.errors import ConfigurationError
from understudy.settings.model import Settings

PREFIX = "UNDERSTUDY__"
FILE_SUFFIX = "_FILE"
FILE_NAME = "understudy.toml"
SECRET_WORDS = ("key", "token", "secret", "headers", "url")
"""Values of settings whose names hold one of these are never shown, not even in an error; nor are whole tables."""
NEAR = 60
"""How alike (0 to 100) a known key must be to be suggested."""


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises `ConfigurationError` naming every wrong key, its value and what to do.

    `path` None reads the environment alone.
    """
    data = {} if path is None else _read(path)
    _overlay(data, environment)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        where = "the environment" if path is None else f"{path}, with the environment on top,"
        lines = [f"  {_explain(one)}" for one in error.errors(include_url=False)]
        raise ConfigurationError(f"{where} has {len(lines)} problem(s):\n" + "\n".join(lines)) from None
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no configuration file {path}; `understudy init` writes one, `understudy demo` needs none"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error


def _overlay(data: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        value = environment[name]
        parts = name.removeprefix(PREFIX).lower().split("__")
        if name.endswith(FILE_SUFFIX):
            parts[-1] = parts[-1].removesuffix(FILE_SUFFIX.lower())
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(f"{name} names {value!r}, which cannot be read: {error.strerror}") from error
            except UnicodeDecodeError as error:
                raise ConfigurationError(f"{name} names {value!r}, which is not UTF-8 text") from error
        target = data
        for part in parts[:-1]:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise ConfigurationError(f"{name}: {part!r} is a value in the file, not a section")
        target[parts[-1]] = _value(value)


def _value(text: str) -> Any:
    """Read a list, table or quoted text as TOML; all else is text, and the setting's type says what it means.

    A key that happens to be all digits stays the text it is.
    """
    if not text.startswith(("[", "{", '"')):
        return text
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(error: Any) -> str:
    loc = [str(part) for part in error["loc"]]
    # A discriminated union puts its tag into the location; people wrote no such key.
    is_tag = len(loc) > 2 and any(loc[2] in _tags(model) for model in _models_at(loc[:2]))
    where = ".".join(part for number, part in enumerate(loc) if not (is_tag and number == 2))
    if error["type"] == "union_tag_not_found":
        return (
            f"{where}.kind: missing; one of {', '.join(sorted(tag for one in _models_at(loc) for tag in _tags(one)))}"
        )
    if error["type"] != "extra_forbidden":
        is_secret = any(word in part for part in loc for word in SECRET_WORDS) or _holds_more(error["input"])
        shown = "" if error["type"] == "missing" or is_secret else f" (got {str(error['input'])[:60]!r})"
        return f"{where}: {error['msg']}{shown}"
    known = sorted({name for model in _models_at(loc[:-1]) for name in model.model_fields})
    near = process.extractOne(loc[-1], known, scorer=fuzz.WRatio, score_cutoff=NEAR)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    return f"{where}: unknown key, {hint}"


def _holds_more(value: Any) -> bool:
    """Whether a value holds others under names of their own, of which any may be a secret."""
    return isinstance(value, Mapping) or (isinstance(value, list) and any(map(_holds_more, value)))


def _models_at(loc: list[str]) -> list[type[BaseModel]]:
    """The models that a table at this place may be of; its keys are theirs."""
    models: list[type[BaseModel]] = [Settings]
    for part in loc:
        following: list[type[BaseModel]] = []
        for model in models:
            field = model.model_fields.get(part)
            following += _models_in(_named_by_people(model) if field is None else field.annotation)
        tagged = [model for model in models if part in _tags(model)]
        models = following or tagged or models
    return models


def _named_by_people(model: type[BaseModel]) -> Any:
    """What stands in a section under names that people choose, beside its own keys; None where it takes none."""
    return get_type_hints(model).get("__pydantic_extra__") if model.model_config.get("extra") == "allow" else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is not None or isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        return [model for inner in get_args(annotation) for model in _models_in(inner)]
    return []


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()
