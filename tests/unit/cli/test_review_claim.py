"""A claim is kept alive in the background, and notices by itself when the hold is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from understudy.cli.review_claim import Claim
from understudy.client.errors import ApiError, ServerUnreachable
from understudy.client.models import HoldDetail

Make = Callable[..., HoldDetail]


@pytest.fixture
def desk(fake_desk: Any, detail: Make) -> Any:
    return fake_desk(detail("h-1"))


def claim_on(desk: Any, **options: float) -> Claim:
    return Claim(desk, desk.details["h-1"].hold, **options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "superseded"}, "The customer wrote again"),
        ({"state": "decided"}, "decided in the meantime"),
        ({"state": "expired"}, "Its time ran out"),
        ({"version": 4}, "changed since it was read"),
    ],
)
@pytest.mark.parametrize("way", [Claim.look, Claim.pulse])
def test_a_claim_notices_why_the_hold_is_gone(
    desk: Any, way: Callable[[Claim], None], change: dict[str, Any], words: str
) -> None:
    claim = claim_on(desk)
    way(claim)
    assert claim.lost is None
    desk.change("h-1", **change)
    way(claim)
    assert words in (claim.lost or "")


def test_a_closed_hold_is_read_to_learn_how_it_ended(desk: Any) -> None:
    desk.refuse["claim", "h-1"] = ApiError(status=409, code="hold-closed", detail="closed")
    desk.change("h-1", state="superseded")
    claim = claim_on(desk)
    claim.pulse()
    assert "The customer wrote again" in (claim.lost or "")


@pytest.mark.parametrize("error", [ServerUnreachable("away"), ApiError(status=503, code="overloaded", detail="busy")])
def test_a_server_that_is_away_loses_nothing_yet(desk: Any, error: Exception) -> None:
    desk.refuse["claim", "h-1"] = error
    claim = claim_on(desk)
    claim.pulse()
    assert claim.lost is None


def test_between_heartbeats_the_hold_is_only_read(desk: Any) -> None:
    claim = claim_on(desk, heartbeat_s=60.0, look_s=0.01)
    with claim:
        desk.change("h-1", state="superseded")
        claim._thread.join(60)
        assert claim.lost is not None
    assert desk.calls == []


def test_a_claim_ends_with_a_release_unless_it_was_decided(desk: Any) -> None:
    with claim_on(desk):
        pass
    with claim_on(desk) as claim:
        claim.decided()
    assert desk.calls == [("release", "h-1")]
