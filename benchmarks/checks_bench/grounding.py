"""Grounding: replies that people labelled as attributable to a snippet or not (BEGIN), and turned policy sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checks_bench.flips import turned_sentences
from checks_bench.sample import Sample, evidence_for, examined, figures, is_for_training, rows
from understudy.assessment.checks.grounding import GroundingCheck
from understudy.records.evidence import Draft, Passage

NAME = "grounding"
FILES = ("grounding_begin.jsonl.gz", "kb_bank_documents.jsonl.gz", "grounding_halueval_qa.jsonl.gz")


def measure(data: Path) -> dict[str, Any]:
    """Measure on the snippets that nothing was learned from. HaluEval is shown as a stranger; its labels follow length."""
    begin = [row for row in rows(data / FILES[0]) if not is_for_training(row["group"])]
    documents = [row for row in rows(data / FILES[1]) if not is_for_training(row["id"])]
    other = [row for row in rows(data / FILES[2]) if not is_for_training(row["group"])]
    found = {"begin": figures([_labelled(row) for row in begin])}
    for domain in sorted({row["domain"] for row in begin}):
        found[f"begin_{domain}"] = figures([_labelled(row) for row in begin if row["domain"] == domain])
    found["turned_policy"] = figures(
        [_sample("", one.document, one.text, is_bad=not one.is_carried) for one in turned_sentences(documents)]
    )
    found["halueval_qa"] = figures([_labelled(row) for row in other])
    return found


def _labelled(row: dict[str, Any]) -> Sample:
    return _sample(row["question"], row["context"], row["response"], is_bad=bool(row["label"]))


def _sample(question: str, passage: str, reply: str, *, is_bad: bool) -> Sample:
    draft = Draft(text=reply, sources=(Passage(id="1", text=passage),))
    return examined(GroundingCheck(), evidence_for(question, draft=draft), is_bad=is_bad)
