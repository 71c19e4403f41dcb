"""Read a Langfuse export: traces with their observations and scores, whole or row by row; it asks no server.

Whole: what the trace's page downloads or the API gives (`id`, `input`, `output`, `observations`, `scores`). Row by row:
the files of the blob storage export (traces, observations and scores) one after the other in one file, joined here by
`trace_id`. Names may be written `sessionId` or `session_id`. A trace is a turn: its input the conversation, its output
the draft, a score the verdict. Scores that a model gave (`EVAL`) count only where the user names them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from understudy.backtest.histories.labelled import Labelled, labelled, moment, text_of
from understudy.backtest.histories.ratings import Meaning, verdict_of
from understudy.backtest.histories.source import Place, Source, shown

EXPECTED: Final = (
    "expected rows of a Langfuse export: a trace with `id`, `input` and `output` (and `scores`), an observation with "
    "`trace_id` and `type`, or a score with `trace_id`, `name` and `value`"
)
LATER_ANSWERS: Final = ("GENERATION", "AGENT", "CHAIN", "SPAN")
"""Kinds of observation that may carry the answer where the trace itself has none, best first."""
BY_A_MODEL: Final = "EVAL"
Row = Mapping[str, Any]


def read(source: Source, meaning: Meaning) -> Iterator[Labelled]:
    """Each trace as a turn, in the file's order; raises `MalformedInput` where a score cannot be understood."""
    scores, observations = _joined(source)
    enriched: dict[str, Place] = {}
    for line, value in source.values():
        place = source.at(line)
        kind = _kind(value)
        trace = _trace(value)
        if kind == "trace":
            own = str(trace["id"])
            enriched.pop(own, None)
            observed = [*trace.get("observations", ()), *observations.pop(own, ())]
            yield _turn(trace, observed, [*trace.get("scores", ()), *scores.get(own, ())], place, meaning)
        elif kind == "observation":
            enriched.setdefault(str(_field(value, "traceId")), place)
        elif kind is None:
            place.refuse(f"{EXPECTED}; got {shown(value)}")
    for own, place in enriched.items():
        if own in observations:  # observations whose trace is no row of its own carry what is known of it
            observed = observations[own]
            known = {"id": own, **{name: _of_any(observed, name) for name in ("sessionId", "release", "version")}}
            known["timestamp"] = min((str(_field(row, "startTime") or "") for row in observed), default=None)
            known["name"] = _of_any(observed, "traceName")
            yield _turn(known, observed, scores.get(own, ()), place, meaning)


def _joined(source: Source) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """Scores and observations that are rows of their own, by trace; of observations only those that may be needed."""
    scores: dict[str, list[Row]] = defaultdict(list)
    observations: dict[str, list[Row]] = defaultdict(list)
    for _, value in source.values():
        kind = _kind(value)
        if kind == "score":
            scores[str(_field(value, "traceId"))].append(value)
        elif kind == "observation" and str(value["type"]).upper() in LATER_ANSWERS:
            observations[str(_field(value, "traceId"))].append(value)
    return scores, observations


def _kind(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if _field(value, "traceId") is not None:
        if "type" in value and ("input" in value or "output" in value):
            return "observation"
        return "score" if "name" in value and ("value" in value or _field(value, "stringValue") is not None) else None
    trace = _trace(value)
    return "trace" if "id" in trace and ("output" in trace or "observations" in trace) else None


def _trace(value: Any) -> dict[str, Any]:
    """A trace, which the page's download keeps beside its observations instead of around them."""
    inner = value.get("trace") if isinstance(value, dict) else None
    if not isinstance(inner, dict):
        return value if isinstance(value, dict) else {}
    return {**{name: value[name] for name in ("observations", "scores") if name in value}, **inner}


def _turn(trace: Row, observations: Sequence[Row], scores: Sequence[Row], place: Place, meaning: Meaning) -> Labelled:
    asked, answered = _conversation(trace, observations)
    messages = _messages(asked)
    if not messages:
        place.refuse(
            f"input of trace {trace['id']}: expected a conversation or a text, got {shown(trace.get('input'))}"
        )
    if answered is None:
        place.refuse(f"output of trace {trace['id']}: expected the agent's answer, got {shown(trace.get('output'))}")
    action, score = _verdict(trace, scores, place, meaning)
    metadata = _decoded(trace.get("metadata"))
    known: Row = metadata if isinstance(metadata, dict) else {}
    version = _field(trace, "version") or _field(trace, "release") or known.get("agent_version")
    return labelled(
        place,
        {
            "id": str(trace["id"]),
            "conversation_id": _field(trace, "sessionId"),
            "channel": str(known.get("channel") or "api"),
            "topic": known.get("topic"),
            "agent_version": None if version is None else str(version),
            "at": moment(_field(trace, "timestamp") or _field(trace, "startTime"), place, "timestamp"),
            "messages": messages,
            "draft": {"text": answered, "confidence": known.get("confidence")},
            "verdict": None if action is None else {"action": action, "reviewer": _field(score, "authorUserId")},
        },
    )


def _conversation(trace: Row, observations: Sequence[Row]) -> tuple[Any, str | None]:
    """What was asked and answered: the trace's own, else that of the last observation that has an answer."""
    asked, answered = _decoded(trace.get("input")), text_of(_decoded(trace.get("output")))
    if asked is not None and answered is not None:
        return asked, answered
    for kind in LATER_ANSWERS:
        of_kind = [row for row in observations if str(row.get("type", "")).upper() == kind]
        for row in sorted(of_kind, key=lambda row: str(_field(row, "startTime") or ""), reverse=True):
            text = text_of(_decoded(row.get("output")))
            if text is not None:
                return (_decoded(row.get("input")) if asked is None else asked), text
    return asked, answered


def _messages(asked: Any) -> list[dict[str, Any]]:
    if isinstance(asked, dict):
        inner = asked.get("messages", asked.get("input"))
        asked = inner if isinstance(inner, list) else asked
    if isinstance(asked, list) and asked and all(isinstance(one, dict) and "role" in one for one in asked):
        return [{**one, "role": _ROLES.get(one["role"], one["role"])} for one in asked]
    text = text_of(asked) or (text_of(next(iter(asked.values()), None)) if isinstance(asked, dict) else None)
    return [{"role": "user", "content": text}] if text else []


_ROLES: Final = {"human": "user", "ai": "assistant", "function": "tool"}


def _verdict(trace: Row, scores: Sequence[Row], place: Place, meaning: Meaning) -> tuple[str | None, Row]:
    """The verdict of the score that counts; of several of one name the latest."""
    named = [
        score
        for score in scores
        if isinstance(score, dict)
        and (score.get("name") == meaning.name if meaning.name else score.get("source") != BY_A_MODEL)
    ]
    names = sorted({str(score.get("name")) for score in named})
    if not names:
        return None, {}
    if len(names) > 1:
        place.refuse(f"trace {trace['id']} has the scores {', '.join(names)}; say which is the verdict (--rating NAME)")
    score = max(named, key=lambda score: str(_field(score, "timestamp") or ""))
    value = _field(score, "stringValue") if str(_field(score, "dataType")).upper() == "CATEGORICAL" else None
    if value is None:
        value = score.get("value") if score.get("value") is not None else _field(score, "stringValue")
    try:
        kind = verdict_of(value, meaning)
    except ValueError as error:
        place.refuse(f"score {names[0]} of trace {trace['id']}: {error}")
    return (None if kind is None else kind.value), score


def _field(row: Row, name: str) -> Any:
    """A field written `sessionId` or `session_id`."""
    if row.get(name) is not None:
        return row[name]
    return row.get("".join(f"_{c.lower()}" if c.isupper() else c for c in name))


def _of_any(rows: Sequence[Row], name: str) -> Any:
    return next((found for row in rows if (found := _field(row, name)) is not None), None)


def _decoded(value: Any) -> Any:
    """Blob exports carry inputs, outputs and metadata as JSON text."""
    if isinstance(value, str) and value[:1] in '{["':
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
