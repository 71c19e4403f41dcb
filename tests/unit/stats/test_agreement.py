"""How far two reviewers agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.agreement import agreement

JUDGEMENTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=60)


def test_kappa_of_the_textbook_table() -> None:
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = agreement(*zip(*pairs, strict=True))
    assert (found.drafts, found.raw) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert (found.low, found.high) == pytest.approx((0.1511, 0.6489), abs=0.0001)


@given(pairs=JUDGEMENTS)
def test_agreement_is_symmetric_and_in_range(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    one, other = agreement(first, second), agreement(second, first)
    assert one.raw == other.raw
    if one.kappa is None:
        assert one.raw == 1.0
    else:
        assert other.kappa == pytest.approx(one.kappa)
        assert -1 <= one.low <= one.kappa <= one.high <= 1


@pytest.mark.parametrize("seed", [81])
def test_interval_is_as_wide_as_kappa_varies(seed: int) -> None:
    rng, n = np.random.default_rng(seed), 400
    cells = np.array([0.5, 0.05, 0.05, 0.02, 0.15, 0.03, 0.04, 0.06, 0.1])
    kappas, widths = [], []
    for _ in range(400):
        drawn = rng.choice(9, size=n, p=cells)
        found = agreement((drawn // 3).tolist(), (drawn % 3).tolist())
        kappas.append(found.kappa)
        widths.append(found.high - found.low)
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(kappas), rel=0.12)


def test_no_kappa_where_both_always_said_the_same_thing() -> None:
    assert agreement(["a"] * 5, ["a"] * 5).kappa is None


@pytest.mark.parametrize(("first", "second"), [([], []), (["a"], ["a", "b"])])
def test_judgements_of_different_drafts_are_refused(first: list[str], second: list[str]) -> None:
    with pytest.raises(ValueError, match="the same drafts"):
        agreement(first, second)
