"""The shape of JSON documents, learned from those that came, and how another one differs; it knows no system and no wire.

A shape is counts, so two of them are merged by adding, in any order: each process learns from what it sees. It keeps names
and types, and of values only words of a code, such as `open` or `CLOSED_WON`; no name, address or text of a customer is
in it. Change kinds: a path is *missing* that was always there, *new*, of another *type*, or a code outside its *enumeration*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["missing", "new", "type", "enumeration"]

MEMBERS_MAX: Final = 200
"""An object with more named members than this, over all documents, is a map: its members are values under names."""
CODES_MAX: Final = 16
"""Texts with more different codes than this are no enumeration."""
CODES_SEEN_MIN: Final = 20
"""A code is an enumeration's only after so many texts at its path …"""
CODE_SEEN_TIMES: Final = 4
"""… and so many times as many as there are different ones."""
DEPTH_MAX: Final = 32
"""What lies deeper is not looked at."""
ITEMS_MAX: Final = 200
"""Of a longer list the first items are looked at."""
_NAME = re.compile(r"[^\W\d][\w.$:/ -]{0,79}")
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_CODE = re.compile(r"[a-z][a-z0-9_.:-]{0,39}|[A-Z][A-Z0-9_.:-]{1,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What stood at one place: how often, of which JSON types, and the shapes of what was in it.

    `codes`: how often each text stood there, None once there was one that is no code, or too many of them. `others`:
    members whose names are no names of fields (an id, an address); with `is_map` that is all of them.
    """

    seen: int = 0
    types: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] | None = field(default_factory=dict)
    members: Mapping[str, Shape] = field(default_factory=dict)
    is_map: bool = False
    others: Shape | None = None
    items: Shape | None = None

    @property
    def enumeration(self) -> tuple[str, ...]:
        """The codes that stand here, sorted, once enough were seen to say that there are no more; else none."""
        if not self.codes or set(self.types) - {"string", "null"}:
            return ()
        times = sum(self.codes.values())
        enough = times >= max(CODES_SEEN_MIN, CODE_SEEN_TIMES * len(self.codes))
        return tuple(sorted(self.codes)) if enough else ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """One difference: where, as a JSON path whose lists are `[*]`; what was there, and what is there now, in words."""

    path: str
    kind: Kind
    was: str
    now: str

    def __str__(self) -> str:
        match self.kind:
            case "missing":
                return f"{self.path} is missing; it was {self.was}"
            case "new":
                return f"{self.path} is new: {self.now}"
            case "type":
                return f"{self.path} is {self.now}; it was {self.was}"
            case "enumeration":
                return f"{self.path} is {self.now!r}; it was one of {self.was}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One path of a shape, for people. `is_optional`: there were documents in which its object stood without it."""

    path: str
    types: tuple[str, ...]
    seen: int
    is_optional: bool
    enumeration: tuple[str, ...]


NOTHING: Final = Shape()
"""The shape of no document; nothing differs from it."""


def learned(documents: Iterable[Any]) -> Shape:
    """Learn the shape of documents as `json.loads` makes them; `TypeError` for what JSON does not have."""
    shape = NOTHING
    for document in documents:
        shape = merged(shape, _shape_of(document, depth=0))
    return shape


def merged(one: Shape, other: Shape) -> Shape:
    """What both have seen together; the order does not matter."""
    if not one.seen or not other.seen:
        return one if one.seen else other
    names = one.members.keys() | other.members.keys()
    others = _both(one.others, other.others)
    members = {name: _both(one.members.get(name), other.members.get(name)) or NOTHING for name in sorted(names)}
    is_map = one.is_map or other.is_map or len(members) > MEMBERS_MAX
    if is_map:
        for member in members.values():
            others = _both(others, member)
    return Shape(
        seen=one.seen + other.seen,
        types=_added(one.types, other.types),
        codes=_codes(one.codes, other.codes),
        members={} if is_map else members,
        is_map=is_map,
        others=others,
        items=_both(one.items, other.items),
    )


def changes(old: Shape, document: Any, *, seen_min: int = 1) -> tuple[Change, ...]:
    """Say where a document differs from what was seen, in the order of paths, each difference once.

    `seen_min`: a path that was always there is missed, and another type noticed, only after so many times; 1 believes a
    single document. A list that was always empty and an object that never came say nothing of what stands in them.
    """
    found = _differences(old, document, "$", seen_min) if old.seen else ()
    return tuple(sorted(set(found)))


def places(shape: Shape) -> tuple[Place, ...]:
    """All paths of a shape, the whole document first."""
    return tuple(_places(shape, "$", is_optional=False))


def _shape_of(node: Any, *, depth: int) -> Shape:
    kind = _type_of(node)
    members: dict[str, Shape] = {}
    others = items = None
    if depth < DEPTH_MAX and kind == "object":
        for name, inner in sorted(node.items()):
            below = _shape_of(inner, depth=depth + 1)
            if _is_name(name):
                members[name] = below
            else:
                others = _both(others, below)
    if depth < DEPTH_MAX and kind == "array":
        for inner in node[:ITEMS_MAX]:
            items = _both(items, _shape_of(inner, depth=depth + 1))
    is_map = len(members) > MEMBERS_MAX
    if is_map:
        for below in members.values():
            others = _both(others, below)
        members = {}
    codes = {} if kind != "string" else {node: 1} if _CODE.fullmatch(node) else None
    return Shape(seen=1, types={kind: 1}, codes=codes, members=members, is_map=is_map, others=others, items=items)


def _type_of(node: Any) -> str:
    if node is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int | float, "number"), (str, "string"), (dict, "object"), (list, "array")):
        if isinstance(node, kind):
            return name
    raise TypeError(f"JSON has no {type(node).__name__}")


def _is_name(name: str) -> bool:
    """Whether it looks like a field's name, which a system gave, and not like an id or an address."""
    return _NAME.fullmatch(name) is not None


def _both(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return other if one is None else one
    return merged(one, other)


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted(one.keys() | other.keys())}


def _codes(one: Mapping[str, int] | None, other: Mapping[str, int] | None) -> dict[str, int] | None:
    if one is None or other is None:
        return None
    both = _added(one, other)
    return None if len(both) > CODES_MAX else both


def _differences(old: Shape, node: Any, path: str, seen_min: int) -> Iterator[Change]:
    kind = _type_of(node)
    if kind not in old.types:
        if old.seen >= seen_min:
            yield Change(path=path, kind="type", was=_types(old), now=kind)
        return
    if kind == "object":
        yield from _of_members(old, node, path, seen_min)
    elif kind == "array" and old.items is not None:
        for inner in node[:ITEMS_MAX]:
            yield from _differences(old.items, inner, f"{path}[*]", seen_min)
    elif kind == "string" and old.enumeration and node not in old.enumeration:
        now = node if _CODE.fullmatch(node) else "text that is no code"
        yield Change(path=path, kind="enumeration", was=", ".join(old.enumeration), now=now)


def _of_members(old: Shape, node: Mapping[str, Any], path: str, seen_min: int) -> Iterator[Change]:
    always = old.types["object"]
    for name, member in old.members.items():
        if name not in node and member.seen == always >= seen_min:
            yield Change(path=_below(path, name), kind="missing", was=_types(member), now="nothing")
    for name, inner in node.items():
        if old.is_map or not _is_name(name):
            if old.others is not None:
                yield from _differences(old.others, inner, f"{path}.*", seen_min)
        elif (member := old.members.get(name)) is not None:  # type: ignore[assignment]
            yield from _differences(member, inner, _below(path, name), seen_min)
        else:
            yield Change(path=_below(path, name), kind="new", was="nothing", now=_type_of(inner))


def _places(shape: Shape, path: str, *, is_optional: bool) -> Iterator[Place]:
    yield Place(
        path=path,
        types=tuple(sorted(shape.types)),
        seen=shape.seen,
        is_optional=is_optional,
        enumeration=shape.enumeration,
    )
    for name, member in sorted(shape.members.items()):
        yield from _places(member, _below(path, name), is_optional=member.seen < shape.types.get("object", 0))
    if shape.others is not None:
        yield from _places(shape.others, f"{path}.*", is_optional=True)
    if shape.items is not None:
        yield from _places(shape.items, f"{path}[*]", is_optional=True)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if _PLAIN_NAME.fullmatch(name) else f"{path}['{name}']"


def _types(shape: Shape) -> str:
    return " or ".join(sorted(shape.types))
