"""Injection: orders planted in mails, tables, documents and tool results, and, for false alarms, what customers write."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from checks_bench.planting import BIPIA, KNOWLEDGE, TRAJECTORIES, material, planted
from checks_bench.sample import Sample, evidence_for, examined, figures, is_for_training, rows
from understudy.assessment.checks.injection import IN_CUSTOMER_TEXT, IN_FORWARDED_TEXT, InjectionCheck
from understudy.records.evidence import ChatMessage, Draft, Evidence, Passage, ToolCall

NAME = "injection"
FILES = (BIPIA, KNOWLEDGE, TRAJECTORIES)
EACH = 3
DOCUMENTS_MAX = 150


def measure(data: Path) -> dict[str, Any]:
    """Measure with documents and kinds of attack that nothing was learned from.

    `bipia` are the records as they stand in the file; the others plant BIPIA's attacks in clean documents of each kind.
    """
    check = InjectionCheck()
    indirect, customers = [], []
    for row in rows(data / BIPIA):
        if row["source_type"] == "indirect":
            if not _is_known(row):
                indirect.append(examined(check, _with_passage(row["text"]), is_bad=bool(row["label"])))
        elif not is_for_training(row["group"]):
            flags = (IN_CUSTOMER_TEXT.code, IN_FORWARDED_TEXT.code)
            customers.append(examined(check, evidence_for(row["text"]), is_bad=bool(row["label"]), flags=flags))
    found = {"bipia": figures(indirect), "customers": figures(customers)}
    given = material(data, for_training=False)
    dice = random.Random(7)
    every: list[Sample] = []
    for kind, texts in given.documents.items():
        make = _with_result if kind == "tool_result" else _with_passage
        cases = planted(texts[:DOCUMENTS_MAX], kind, given.attacks, dice, each=EACH)
        samples = [examined(check, make(one.text), is_bad=bool(one.attack)) for one in cases]
        found[f"planted_{kind}"] = figures(samples)
        every += samples if kind.startswith("bipia") else []
    return found | {"planted_bipia": figures(every)}


def _is_known(row: dict[str, Any]) -> bool:
    """Whether something was learned from this record's document or from attacks of its category."""
    if is_for_training(row["id"].rsplit("-", 1)[0]):
        return True
    return bool(row["label"]) and is_for_training(row["context"]["attack_category"])


def _with_passage(text: str) -> Evidence:
    return evidence_for("What does it say?", draft=Draft(text="Thank you.", sources=(Passage(id="1", text=text),)))


def _with_result(text: str) -> Evidence:
    calls = (
        ChatMessage(role="user", content="Can you look it up?"),
        ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="look_up"),)),
        ChatMessage(role="tool", content=text, tool_call_id="1"),
    )
    return evidence_for("Please.", draft=Draft(text="Thank you."), messages=calls)
