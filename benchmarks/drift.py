"""Schema drift: what is noticed in documents alone, beside what a vendor's own releases changed and what it called breaking.

    ./dev bench drift [--json] [--documents 40] [--seed 1] [--data ../shared/data]

Twilio publishes its interface as OpenAPI, release by release, and marks breaking changes in its changelog. What each figure
means stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from understudy.records.shape import Change, changes, learned

ROOT = Path(__file__).resolve().parent.parent
ROWS, PAIRS = "openapi_drift_twilio.jsonl.gz", "openapi_spec_pairs_twilio.jsonl.gz"
BREAKING = frozenset(
    "op_removed file_removed param_removed param_added_required param_became_required param_type_changed "
    "param_enum_removed resp_prop_removed resp_type_changed resp_enum_removed".split()
)
"""Kinds of differences of two specifications that could break somebody: the plain structural rule."""
AS_NOTICED = {"resp_prop_removed": "missing", "resp_prop_added": "new", "resp_type_changed": "type", "resp_enum_added": "enumeration"}  # fmt: skip
"""Differences of answers and what they are in documents. A value that is no longer used shows in no document."""
NULL_SHARE = 0.2
ITEMS_MAX = 3
DEPTH_MAX = 12
Row = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--documents", type=int, default=40, help="answers of each operation that are learned from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    chosen = parser.parse_args()
    missing = [name for name in (ROWS, PAIRS) if not (chosen.data / name).is_file()]
    if missing:
        sys.exit(f"there is no {missing[0]} in {chosen.data}; name the folder with --data")
    rows, pairs = _read(chosen.data / ROWS), _read(chosen.data / PAIRS)
    truth = {row["id"]: row for row in rows}
    result = {
        "labels": labels(rows),
        "documents": documents(pairs, truth, count=chosen.documents, seed=chosen.seed),
        "speed": speed(pairs, seed=chosen.seed),
    }
    print(json.dumps(result)) if chosen.json else _show(result)


# --- against the vendor's labels


def labels(rows: Sequence[Row]) -> dict[str, Any]:
    """Precision and recall of rules against the vendor's own word for breaking, over whole releases of a product."""
    noticed = {row["id"]: {AS_NOTICED[kind] for kind in row["kinds"] if kind in AS_NOTICED} for row in rows}
    rules: dict[str, Callable[[Row], bool]] = {
        "structural": lambda row: not BREAKING.isdisjoint(row["kinds"]),
        "ours": lambda row: bool(noticed[row["id"]] & {"missing", "type", "enumeration"}),
        "ours_missing_only": lambda row: "missing" in noticed[row["id"]],
        "ours_any": lambda row: bool(noticed[row["id"]]),
    }
    return {
        "releases": len(rows),
        "breaking": sum(row["labelled_breaking"] for row in rows),
        **{name: _against(rows, [rule(row) for row in rows]) for name, rule in rules.items()},
    }


def _against(rows: Sequence[Row], said: Sequence[bool]) -> dict[str, Any]:
    hits = sum(row["labelled_breaking"] and one for row, one in zip(rows, said, strict=True))
    breaking = sum(row["labelled_breaking"] for row in rows)
    return {
        "said": sum(said),
        "precision": round(hits / sum(said), 3) if any(said) else None,
        "recall": round(hits / breaking, 3),
    }


# --- in documents made by both specifications


def documents(pairs: Sequence[Row], truth: Mapping[str, Row], *, count: int, seed: int) -> dict[str, Any]:
    """Learn answers made by the specification before, look at answers made by the one after, and compare with its changes."""
    found: Counter[str] = Counter()
    false_alarms = looked_at = 0
    for pair in pairs:
        before, after = pair["before"], pair["after"]
        dice = random.Random(f"{seed}/{pair['id']}/{pair['file']}")
        wanted = _wanted(truth[pair["id"]], Path(pair["file"]).name)
        for name, schema in _answers(before):
            shape = learned(_sample(schema, before, dice) for _ in range(count))
            again = [change for _ in range(10) for change in changes(shape, _sample(schema, before, dice))]
            false_alarms += len(set(again))
            later = dict(_answers(after)).get(name)
            if later is None:
                continue
            looked_at += 1
            said = {change for _ in range(count) for change in changes(shape, _sample(later, after, dice))}
            was, now = dict(_nullability(schema, before, "$")), dict(_nullability(later, after, "$"))
            nullable = {path for path, may in now.items() if may and was.get(path) is False}
            _compare(found, said, {(kind, path) for kind, op, path in wanted if op == name}, nullable)
    kinds = {kind: _recall(found, kind) for kind in (*AS_NOTICED.values(), "null", "format")}
    right, said_all = found["right"], found["said"]
    return {
        "operations": looked_at,
        "by_kind": kinds,
        "said": said_all,
        "precision": round(right / said_all, 3) if said_all else None,
        "false_alarms_unchanged": false_alarms,
    }


def _recall(found: Counter[str], kind: str) -> dict[str, Any]:
    there, noticed = found[f"there {kind}"], found[f"noticed {kind}"]
    return {"there": there, "noticed": noticed, "recall": round(noticed / there, 3) if there else None}


def _compare(found: Counter[str], said: set[Change], wanted: set[tuple[str, str]], nullable: set[str]) -> None:
    """Count what is right: what the specifications differ in, there or in something above it that came, went or changed.

    A field that may be null now is in no list of the data set's; it is read from the two specifications.
    """
    at = {("null" if change.kind == "type" and change.now == "null" else change.kind, change.path) for change in said}
    for kind, path in wanted | {("null", path) for path in nullable}:
        found[f"there {kind}"] += 1
        found[f"noticed {kind}"] += any(path == there or _is_in(path, there) for one, there in at if one == kind)
    for kind, path in at:
        truth = nullable if kind == "null" else {there for one, there in wanted if one == kind}
        found["said"] += 1
        found["right"] += any(path == there or _is_in(there, path) for there in truth)


def _is_in(path: str, above: str) -> bool:
    return path.startswith((f"{above}.", f"{above}["))


def _nullability(schema: Any, spec: Mapping[str, Any], path: str) -> Iterator[tuple[str, bool]]:
    """Every path that documents may have, and whether null may stand there."""
    schema = _followed(schema, spec)
    yield path, bool(schema.get("nullable"))
    for name, inner in schema.get("properties", {}).items():
        yield from _nullability(inner, spec, f"{path}.{name}")
    if schema.get("type") == "array":
        yield from _nullability(schema.get("items", {}), spec, f"{path}[*]")


def _wanted(row: Row, file: str) -> list[tuple[str, str, str]]:
    """(kind, operation, path) of the changes of answers in one file that documents can show."""
    found = []
    for kind, name, *more in row["changes"]:
        if kind in AS_NOTICED and name == file and more[1].startswith(("200:", "201:")):
            as_noticed = AS_NOTICED[kind]
            if as_noticed == "type" and len({one.partition("/")[0] for one in more[2].split("->")}) == 1:
                as_noticed = "format"  # a string stays a string, whatever is written in it
            found.append((as_noticed, more[0], _path(more[1])))
    return found


def _path(told: str) -> str:
    return "$." + told.partition(":")[2].replace("[]", "[*]")


def _answers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each operation that answers with JSON, and the schema of that."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict):
                continue
            for status in ("200", "201"):
                content = operation.get("responses", {}).get(status, {}).get("content", {})
                if "application/json" in content:
                    yield f"{method.upper()} {path}", content["application/json"]["schema"]
                    break


def _sample(schema: Any, spec: Mapping[str, Any], dice: random.Random, depth: int = 0) -> Any:
    """A document that the schema allows, with all its fields, as this vendor answers."""
    schema = _followed(schema, spec)
    if schema.get("nullable") and dice.random() < NULL_SHARE:
        return None
    kind = schema.get("type") or ("object" if "properties" in schema else None)
    if kind == "object" and depth < DEPTH_MAX:
        fields = schema.get("properties", {})
        return {name: _sample(inner, spec, dice, depth + 1) for name, inner in fields.items()}
    if kind == "array" and depth < DEPTH_MAX:
        inner = schema.get("items", {})
        return [_sample(inner, spec, dice, depth + 1) for _ in range(dice.randint(1, ITEMS_MAX))]
    if schema.get("enum"):
        return dice.choice(schema["enum"])
    scalars = {"integer": dice.randint(0, 9_999), "number": dice.random(), "boolean": dice.random() < 0.5}
    return scalars.get(kind, f"Text number {dice.randint(0, 9_999)}") if kind else {}


def _followed(schema: Any, spec: Mapping[str, Any]) -> Any:
    while "$ref" in schema:
        node: Any = spec
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


# --- what it costs


def speed(pairs: Sequence[Row], *, seed: int) -> dict[str, Any]:
    """Processor time of one core for learning one document and for looking at one, of some 2 kB."""
    dice = random.Random(seed)
    spec = pairs[0]["before"]
    made = [_sample(schema, spec, dice) for _, schema in _answers(spec) for _ in range(10)]
    began = time.process_time()
    shape = learned(made)
    learning_ms = (time.process_time() - began) / len(made) * 1e3
    began = time.process_time()
    for document in made:
        changes(shape, document)
    size = sum(len(json.dumps(document)) for document in made) / len(made)
    looking_ms = (time.process_time() - began) / len(made) * 1e3
    return {"bytes": round(size), "learn_ms": round(learning_ms, 3), "look_ms": round(looking_ms, 3)}


def _read(file: Path) -> list[Row]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _show(result: Mapping[str, Any]) -> None:
    console, found = Console(), result["labels"]
    table = Table("rule", "releases it names", "precision", "recall", title=f"{found['breaking']} of {found['releases']} releases labelled breaking")  # fmt: skip
    for name in ("structural", "ours", "ours_missing_only", "ours_any"):
        table.add_row(name, *(str(found[name][part]) for part in ("said", "precision", "recall")))
    console.print(table)
    made = result["documents"]
    table = Table("kind", "there", "noticed", "recall", title=f"{made['operations']} operations, documents of both versions")  # fmt: skip
    for kind, one in made["by_kind"].items():
        table.add_row(kind, str(one["there"]), str(one["noticed"]), str(one["recall"]))
    console.print(table)
    console.print(f"precision {made['precision']} of {made['said']}; on unchanged documents {made['false_alarms_unchanged']} false alarms")  # fmt: skip
    console.print(result["speed"])


if __name__ == "__main__":
    main()
