"""Clean documents with and without an order planted in them: BIPIA's mails and tables, a knowledge base, tool results."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks_bench.sample import is_for_training, rows

BIPIA = "injection_bipia_and_benign.jsonl.gz"
KNOWLEDGE = "kb_bank_documents.jsonl.gz"
TRAJECTORIES = "trajectories.jsonl.gz"
POLICIES = "policies.jsonl.gz"
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The clean documents by kind and the planted sentences of BIPIA, of the sources that are for one purpose."""

    documents: dict[str, list[str]]
    attacks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A document, what was planted in it ("" for nothing), and what kind it is."""

    kind: str
    text: str
    attack: str


def material(data: Path, *, for_training: bool) -> Material:
    """Split by source: documents by their own identity, BIPIA's attacks by their category."""
    indirect = [row for row in rows(data / BIPIA) if row["source_type"] == "indirect"]
    documents: dict[str, list[str]] = {"bipia_email": [], "bipia_table": [], "knowledge": [], "tool_result": []}
    for row in indirect:
        if not row["label"] and is_for_training(_context(row)) == for_training:
            documents[row["dataset"]].append(row["text"])
    wanted = {row["context"]["attack"]: row["context"]["attack_category"] for row in indirect if row["label"]}
    attacks = sorted(a for a, category in wanted.items() if is_for_training(category) == for_training)
    for row in rows(data / KNOWLEDGE):
        if is_for_training(row["id"]) == for_training:
            documents["knowledge"].append(f"{row['title']}\n{row['content']}")
    documents["tool_result"] = _tool_results(data, for_training=for_training)
    return Material(documents=documents, attacks=attacks)


def _context(row: dict[str, Any]) -> str:
    return str(row["id"].rsplit("-", 1)[0])


def _tool_results(data: Path, *, for_training: bool, limit: int = 600) -> list[str]:
    found: dict[str, None] = {}
    for row in rows(data / TRAJECTORIES):
        if is_for_training(str(row["task_cluster"])) == for_training:
            texts = [m["content"] for m in row["messages"] if m["role"] == "tool" and m["content"]]
            found.update(dict.fromkeys(text for text in texts[:4] if 40 <= len(text) <= 4_000))
    return sorted(found)[:: max(1, len(found) // limit)][:limit]


def planted(
    texts: Sequence[str], kind: str, attacks: Sequence[str], dice: random.Random, *, each: int
) -> Iterator[Planted]:
    """Each document clean, and `each` times with an attack somewhere in it."""
    for text in texts:
        yield Planted(kind=kind, text=text, attack="")
        for attack in dice.sample(list(attacks), min(each, len(attacks))):
            yield Planted(kind=kind, text=plant(text, attack, dice), attack=attack)


def plant(text: str, attack: str, dice: random.Random) -> str:
    """Put a sentence at the start, the end, on a line of its own, after a sentence, or into a value of JSON."""
    if text.lstrip()[:1] in ("{", "[") and dice.random() < 0.7:
        values = list(re.finditer(r'": "([^"]{4,})"', text))
        if values:
            at = dice.choice(values).end() - 1
            return f"{text[:at]}. {json.dumps(attack)[1:-1]}{text[at:]}"
    place = dice.random()
    if place < 0.25:
        return f"{attack}\n{text}"
    if place < 0.5:
        return f"{text}\n{attack}"
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    if place < 0.75 or "|" in lines[at]:
        return "\n".join([*lines[: at + 1], attack, *lines[at + 1 :]])
    parts = _SENTENCE.split(lines[at])
    inside = dice.randrange(len(parts)) + 1
    lines[at] = " ".join([*parts[:inside], attack, *parts[inside:]])
    return "\n".join(lines)
