"""What is said of the settings to people holds no secret of them, wherever a URL carries it."""

from __future__ import annotations

import pytest

from understudy.doctor.examination import without_secrets
from understudy.doctor.result import Result
from understudy.settings.model import Settings


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgresql://ann:pw@db/shop is away", "postgresql://•••@db/shop is away"),
        ("https://f.example/draft?code=s3cret&x=1 answered 401", "https://f.example/draft?••• answered 401"),
        ("'https://f.example/?sig=s3cret': no answer", "'https://f.example/?•••': no answer"),
        ("is it up? see docs/how-to.md", "is it up? see docs/how-to.md"),
    ],
)
def test_what_a_url_carries_is_blotted_out(said: str, shown: str) -> None:
    result = without_secrets(Result(what="agents.main", state="error", says=said, mend=""), Settings())
    assert result.says == shown
