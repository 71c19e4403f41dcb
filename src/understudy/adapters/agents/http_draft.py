"""An agent that is your own HTTP service with `POST /draft`: request and draft in this product's own form, as they are.

Body and answer are described in docs/reference/draft.md; the answer's JSON Schema is docs/reference/draft.schema.json.
"""

from __future__ import annotations

from collections.abc import Mapping

from understudy.adapters.agents.http_call import HttpCall
from understudy.adapters.agents.json_forms import object_in, read_draft, request_form
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import Draft


class HttpDraftAgent:
    """Keeps `ports.agent.Agent` over one `POST`.

    `url` is the full address (as `http://localhost:9000/draft`). `api_key` is sent as a bearer token where it is given,
    and shown nowhere. The answer's own `agent_version` counts before `version`.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self._call = HttpCall(name=name, address=url, api_key=api_key, headers=headers)

    def __repr__(self) -> str:
        return f"HttpDraftAgent({self.name!r}, {self._call.address!r})"

    async def draft(self, request: DraftRequest) -> Draft:
        """Post the request and read the answer as a draft."""
        answer = await self._call.post(
            "", request_form(request), deadline_s=request.deadline_s, traceparent=request.traceparent
        )
        form = object_in(answer, "the answer", self.name)
        return read_draft(form, agent=self.name, agent_version=self.version)

    async def check(self) -> str:
        """Get the address: any answer below 500 shows that something listens there (405 is what most answer)."""
        status, _ = await self._call.reach()
        return f"{self.name}: {self._call.address} answers (status {status} to GET)"

    async def close(self) -> None:
        """Close the connections."""
        await self._call.close()
