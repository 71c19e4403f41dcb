"""The shipped description of Twilio against what Twilio itself describes: a mock server made from their OpenAPI document.

It refuses a request with a parameter that is missing, of another type or outside its pattern, and answers with their examples.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from mock_servers import TWILIO, mocked
from rest_channels import VENDORS, rehosted
from rest_sending import ENTRY
from understudy.records.outbox import Accepted

pytestmark = pytest.mark.slow

SID = VENDORS["twilio"]["account_sid"]


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    with mocked(TWILIO) as url:
        yield url


def use(vendor: str, do: Any) -> Any:
    async def used() -> Any:
        channel = rehosted("twilio", vendor, timeout_s=20.0, inspected=True)
        try:
            return await do(channel)
        finally:
            await channel.close()

    return asyncio.run(used())


def test_a_reply_is_a_request_that_they_describe_and_their_answer_is_read(vendor: str) -> None:
    letter = replace(ENTRY, address="+15558675310", text="It leaves today. “Yes” 👍")
    result = use(vendor, lambda channel: channel.send(letter))
    assert isinstance(result, Accepted), result
    assert (result.provider_id or "").startswith("SM")


def test_what_they_do_not_describe_is_refused_there_so_this_can_fail(vendor: str) -> None:
    """The same request with a wrong account, a missing field, an unknown address."""
    url = f"{vendor}/2010-04-01/Accounts/{SID}/Messages.json"
    fine = {"To": "+15558675310", "From": "+18005551212", "Body": "Hi"}
    login = (SID, "secret")
    assert httpx2.post(url, data=fine, auth=login).status_code == 201
    assert httpx2.post(url.replace(SID, "AC12"), data=fine, auth=login).status_code == 422
    assert httpx2.post(url, data={"From": "+1"}, auth=login).status_code == 422
    assert httpx2.post(url, data=fine).status_code == 401
    assert httpx2.post(url.replace("Messages", "Letters"), data=fine, auth=login).status_code == 404


def test_whether_they_let_us_in_is_asked_as_they_describe_it(vendor: str) -> None:
    reached = use(vendor, lambda channel: channel.check())
    assert "lets this channel in" in reached.says
    (hook,) = reached.inspected
    assert hook.is_well is False, "the number of their example calls somebody else, which was read in their answer"
