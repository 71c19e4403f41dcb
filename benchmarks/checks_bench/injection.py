"""Injection: e-mails and tables of others, clean or with an order for an assistant put in, and what customers write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from understudy.assessment.checks.injection import InjectionCheck
from understudy.records.evidence import Draft, Passage

from checks_bench.sample import evidence_for, examined, figures, is_for_training, rows

NAME = "injection"
FILES = ("injection_bipia_and_benign.jsonl.gz",)


def measure(data: Path) -> dict[str, Any]:
    """Measure what stands in data (BIPIA) and, for false alarms, what customers write."""
    check = InjectionCheck()
    indirect, direct = [], []
    for row in rows(data / FILES[0]):
        if is_for_training(row["group"]):
            continue
        if row["source_type"] == "indirect":
            draft = Draft(text="Thank you.", sources=(Passage(id="1", text=row["text"]),))
            indirect.append(examined(check, evidence_for("What does it say?", draft=draft), is_bad=bool(row["label"])))
        else:
            direct.append(examined(check, evidence_for(row["text"]), is_bad=bool(row["label"])))
    return {"indirect": figures(indirect), "customers": figures(direct)}
