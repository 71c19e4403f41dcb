"""A second opinion by sentence embeddings from `POST /v1/embeddings`: how near the draft is to its nearest passage.

The score is the cosine of the angle between the two, 0 where it is negative. Nearness is no proof: a draft that turns a
passage into its contrary is near it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from understudy.adapters.agents.chat_completions import check_models
from understudy.adapters.agents.http_call import HttpCall
from understudy.adapters.agents.json_forms import list_in, nonsense, object_in
from understudy.ports.opinion import OpinionRequest, Said

PASSAGES_MAX: Final = 20
CHARS_MAX: Final = 6_000
"""How many passages, and how much of each and of the draft, are sent."""


class EmbeddingsOpinion:
    """Keeps `ports.opinion.SecondOpinion` over `POST {base_url}/embeddings`."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        model: str,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._model = model
        self._call = HttpCall(name=name, address=base_url, api_key=api_key, headers=headers)

    async def ask(self, request: OpinionRequest) -> Said:
        """Compare; a draft without passages has nothing to be near to, which raises `AgentAnsweredNonsense`."""
        given = [source.text[:CHARS_MAX] for source in request.draft.sources[:PASSAGES_MAX] if source.text.strip()]
        if not given:
            raise nonsense(self.name, "the draft has no passages to be compared with")
        answer = await self._call.post(
            "/embeddings",
            {"model": self._model, "input": [request.draft.text[:CHARS_MAX], *given]},
            deadline_s=request.deadline_s,
            traceparent=request.traceparent,
        )
        draft, *passages = vectors_in(answer, self.name, count=len(given) + 1)
        return Said(score=max(_nearness(draft, passage) for passage in passages))

    async def check(self) -> str:
        """Ask for the list of models: that needs the address and the key to be right, and costs nothing."""
        return await check_models(self._call, self.name, self._model)

    async def close(self) -> None:
        """Close the connections."""
        await self._call.close()


def vectors_in(answer: Any, name: str, *, count: int) -> list[list[float]]:
    """Read the vectors in the order of the texts; raises `AgentAnsweredNonsense` naming what is wrong."""
    data = list_in(object_in(answer, "the answer", name).get("data"), "data", name)
    found: dict[int, list[float]] = {}
    for number, entry in enumerate(data):
        given = object_in(entry, f"data[{number}]", name)
        vector = list_in(given.get("embedding"), f"data[{number}].embedding", name)
        if not vector or not all(isinstance(x, int | float) and math.isfinite(x) for x in vector):
            raise nonsense(name, f"data[{number}].embedding is no list of numbers")
        found[given.get("index", number)] = [float(x) for x in vector]
    if sorted(found) != list(range(count)) or len({len(vector) for vector in found.values()}) != 1:
        raise nonsense(name, f"{count} texts were sent and {len(found)} vectors of one length were expected back")
    return [found[number] for number in range(count)]


def _nearness(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.sqrt(math.fsum(x * x for x in one)) * math.sqrt(math.fsum(x * x for x in other))
    return min(1.0, max(0.0, math.fsum(x * y for x, y in zip(one, other, strict=True)) / lengths)) if lengths else 0.0
