"""`understudy channels verify`: somebody looks by hand why a provider's webhook is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

BODY = b'{"test": 2432232314}'
GOOD = [
    "--header=webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek",
    "--header=Webhook-Timestamp: 1614265330",
    "--header=webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # published by the scheme's authors
MOMENT = "--now=1614265330"


@pytest.fixture
def verify(tmp_path: Path, understudy_here: Any) -> Any:
    (tmp_path / "body").write_bytes(BODY)
    return lambda *words: understudy_here(
        "channels", "verify", "standard-webhooks", "--secret", SECRET, "--body-file", "body", *words, cwd=tmp_path
    )


def test_a_good_signature_is_said_to_be_good(verify: Any) -> None:
    ended = verify(*GOOD, MOMENT, "--json")
    assert (ended.code, json.loads(ended.out)["valid"]) == (0, True)
    assert verify(*GOOD, "--now=2021-02-25T15:02:10Z").code == 0


def test_a_bad_one_says_why_and_shows_no_secret(verify: Any, tmp_path: Path) -> None:
    ended = verify(*GOOD)
    assert ended.code == 1
    assert "too old" in ended.err
    (tmp_path / "body").write_bytes(BODY + b"\n")
    ended = verify(*GOOD, MOMENT, "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["valid"]) == (1, False)
    assert "no signature matched" in told["reason"]
    assert SECRET[6:] not in ended.out + ended.err
    assert "webhook-id is missing" in verify(*GOOD[1:], MOMENT).err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--header=nonsense"], "Name: value"),
        (["--now=yesterday"], "no moment"),
        (["--now=99999999999999999999"], "no moment"),
        (["--body-file", "gone"], "gone"),
    ],
)
def test_wrong_words_are_named(verify: Any, words: list[str], named: str) -> None:
    ended = verify(*GOOD, *words)
    assert ended.code == 3
    assert named in ended.err


def test_an_unknown_provider_is_told_who_is_known(tmp_path: Path, understudy_here: Any) -> None:
    (tmp_path / "body").write_bytes(BODY)
    ended = understudy_here("channels", "verify", "faxes", "--secret", "x", "--body-file", "body", cwd=tmp_path)
    assert ended.code == 3
    assert "slack" in ended.err
