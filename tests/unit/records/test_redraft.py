"""Which turns are redrafted, and in which order, is a fair draw that everybody can repeat; what *the same* means."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from understudy.records.evidence import Action, Draft, says_same
from understudy.records.redraft import shuffled

SEQS = st.sets(st.integers(1, 10**9), max_size=60)
TEXT = st.text(max_size=30)


@given(seqs=SEQS, seed=st.text(max_size=20), more=st.randoms(use_true_random=False))
def test_a_draw_depends_on_the_set_and_the_seed_alone(seqs: set[int], seed: str, more: object) -> None:
    order = shuffled(seqs, seed)
    assert sorted(order) == sorted(seqs)
    again = list(seqs)
    more.shuffle(again)  # type: ignore[attr-defined]
    assert shuffled(again, seed) == order


def test_every_beginning_of_a_draw_is_a_uniformly_random_part() -> None:
    """2,000 seeds, 20 numbers: how often each is among the first five, and how often each stands first."""
    among: Counter[int] = Counter()
    first: Counter[int] = Counter()
    for seed in range(2_000):
        order = shuffled(range(100, 120), f"seed-{seed}")
        among.update(order[:5])
        first[order[0]] += 1
    assert chisquare([among[number] for number in range(100, 120)]).pvalue > 0.001
    assert chisquare([first[number] for number in range(100, 120)]).pvalue > 0.001


@given(text=TEXT)
def test_spaces_and_case_do_not_tell_drafts_apart(text: str) -> None:
    one = Draft(text=text)
    assert says_same(one, Draft(text=f"  {text}\n", confidence=0.3, agent_version="other"))
    assert says_same(one, Draft(text=text.replace(" ", " \n ")))


@given(text=TEXT, other=TEXT)
def test_drafts_that_say_the_same_have_the_same_words(text: str, other: str) -> None:
    same = says_same(Draft(text=text), Draft(text=other))
    assert same == (text.casefold().split() == other.casefold().split())


def test_what_a_draft_would_do_is_part_of_what_it_says() -> None:
    one = Draft(text="Done.")
    assert not says_same(one, replace(one, actions=(Action(name="refund", arguments={}),)))
    assert not says_same(one, replace(one, handoff=True))
    assert not says_same(one, None)
    assert not says_same(None, None)
