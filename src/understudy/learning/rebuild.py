"""Rebuild every certificate from the ledger alone and compare it with what was kept; of the tables only the open epochs are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from understudy.learning.ladder import Progress, advance, placed
from understudy.ports.store import Transaction
from understudy.records.autonomy import EVERY, Candidate, Label, Outcome, Targets
from understudy.records.codec import build, digest, dump
from understudy.records.ledger import LedgerEntry

OfTopic = tuple[str, str]
PAGE = 5_000


@dataclass(slots=True)
class _Rebuilt:
    """An epoch as far as the entries so far tell."""

    topic: str
    channel: str
    release: str
    calibrator: str
    targets: Targets
    consumed: int
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """What came of it: the progress of each epoch by id, as canonical JSON, and where it was not what was written."""

    progress: dict[str, str]
    faults: tuple[str, ...]


def rebuild(entries: Iterable[LedgerEntry]) -> Rebuilding:
    """Go through the ledger in order. Time and memory grow with the number of drafts that only autonomy decided on."""
    candidates: dict[int, Candidate] = {}
    by_topic: dict[OfTopic, list[int]] = {}
    epochs: dict[str, _Rebuilt] = {}
    faults: list[str] = []
    for entry in entries:
        body = json.loads(entry.body)
        match entry.event:
            case "turn.decided" | "redraft.made" if body.get("candidate"):
                candidate = _candidate(entry, body["candidate"])
                if (of := body.get("of")) is not None:
                    candidate = replace(candidate, redraft_of=of, decided_at=candidates[of].decided_at)
                candidates[entry.seq] = candidate
                by_topic.setdefault((candidate.topic, candidate.release), []).append(entry.seq)
            case "label.given":
                seq, label = body["candidate"], _label(entry, body)
                if label.carried_from is not None:
                    label, fault = _carried(label, candidates[seq], candidates.get(label.carried_from))
                    faults += [f"entry {entry.seq}: {fault}"] if fault else []
                candidates[seq] = replace(candidates[seq], label=label)
            case "autonomy.began":
                epochs[body["epoch"]] = _begun(body)
            case "autonomy.advanced":
                epoch = epochs[body["epoch"]]
                own = [candidates[seq] for seq in by_topic.get((epoch.topic, epoch.release), ())]
                _take(epoch, own, body["consumed"])
                if digest(dump(epoch.progress)) != body["progress"]:
                    faults.append(f"epoch {body['epoch']} at entry {entry.seq} does not follow from its labels")
            case _:
                pass
    return Rebuilding(progress={name: dump(epoch.progress) for name, epoch in epochs.items()}, faults=tuple(faults))


def faults_of(tx: Transaction) -> tuple[int, list[str]]:
    """Compare all open epochs with what the ledger says of them: how many there are, and what is wrong with which."""
    rebuilt = rebuild(_entries(tx))
    faults = list(rebuilt.faults)
    for epoch in tx.epochs.all_open():
        if epoch.id not in rebuilt.progress:
            faults.append(f"epoch {epoch.id} of {epoch.topic}×{epoch.channel} is in force and the ledger has none")
        elif rebuilt.progress[epoch.id] != epoch.progress:
            faults.append(f"epoch {epoch.id} of {epoch.topic}×{epoch.channel} is not what its labels make of it")
    return len(rebuilt.progress), faults


def _entries(tx: Transaction) -> Iterator[LedgerEntry]:
    after = 0
    while page := tx.ledger.entries(after=after, limit=PAGE):
        yield from page
        after = page[-1].seq


def _begun(body: dict[str, Any]) -> _Rebuilt:
    targets = build(Targets, body["targets"])
    return _Rebuilt(
        topic=body["topic"],
        channel=body["channel"],
        release=body["release"],
        calibrator=body["calibrator"],
        targets=targets,
        consumed=body["after"],
        progress=placed(tuple(body["thresholds"]), tuple(body["shares"]), targets),
    )


def _take(epoch: _Rebuilt, own: list[Candidate], consumed: int) -> None:
    taken = [one for one in own if epoch.consumed < one.seq <= consumed and epoch.channel in (EVERY, one.channel)]
    epoch.progress = advance(epoch.progress, taken, epoch.targets, calibrator=epoch.calibrator)
    epoch.consumed = consumed


def _candidate(entry: LedgerEntry, said: dict[str, Any]) -> Candidate:
    return Candidate(
        seq=entry.seq,
        turn_id=entry.turn_id or "",
        conversation_id=entry.conversation_id or "",
        topic=said["topic"],
        channel=said["channel"],
        release=said["release"],
        calibrator=said["calibrator"],
        confidence=said["confidence"],
        signals=(),
        is_delivered=said["delivered"],
        is_sampled=said["sampled"],
        is_repeat=said.get("repeat", False),
        rate=said["rate"],
        decided_at=entry.at,
        due_at=entry.at,
    )


def _label(entry: LedgerEntry, body: dict[str, Any]) -> Label:
    by = None if entry.actor == "system" else entry.actor
    outcome, carried_from = Outcome(body["outcome"]), body.get("carried_from")
    return Label(
        outcome=outcome,
        loss=body["loss"],
        is_severe=body["severe"],
        by=by,
        at=entry.at,
        carried_from=carried_from,
    )


def _carried(label: Label, redraft: Candidate, source: Candidate | None) -> tuple[Label, str | None]:
    """A carried label with who gave it, and what is wrong with it, if anything is."""
    if source is None or source.label is None or redraft.redraft_of != source.seq:
        return label, f"a label is carried over to draft {redraft.seq} from one that it is no redraft of"
    said = source.label
    is_same = (label.outcome, label.loss, label.is_severe) == (said.outcome, said.loss, said.is_severe)
    fault = None if is_same else f"draft {redraft.seq} carries another label than draft {source.seq} has"
    return replace(label, by=said.by), fault
