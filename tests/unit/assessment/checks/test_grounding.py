"""What the draft states must be carried by what the agent was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.checks.grounding import CHARS_MAX, FINDINGS_MAX, VALUES_MAX, GroundingCheck
from understudy.records.evidence import NO_MOMENT, ChatMessage, ContactFacts, Draft, Evidence, Passage, ToolCall
from understudy.records.rulebook import Profile, Rules


def codes(evidence: Evidence, rules: Rules | None = None) -> list[str]:
    assert evidence.draft
    return [finding.code for finding in GroundingCheck().examine(evidence, evidence.draft, rules or Rules()).findings]


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ("The price is $54.00.", "unsupported_money"),
        ("The cable is 25 metres long.", "unsupported_number"),
        ("You save 15 %.", "unsupported_percentage"),
        ("It comes on 21 May.", "unsupported_date"),
        ("We open at 8 am.", "unsupported_time"),
        ("Return it within 60 days.", "unsupported_duration"),
        ("Write to returns@other.example.", "unsupported_email"),
        ("See shop.example/returns-form.", "unsupported_link"),
        ("Call +44 20 7946 0000.", "unsupported_phone"),
        ("Your order #W3445639 is here.", "unsupported_identifier"),
    ],
)
def test_value_nothing_carries_is_found(turn: Any, draft: str, code: str) -> None:
    assert codes(turn("hello", draft, passages=["Nothing of that kind."]))[0] == code


@pytest.mark.parametrize(
    ("draft", "carrier"),
    [
        ("The price is $1,200.00.", '{"price": 1200.0}'),
        ("The price is $54.", "It costs 54 dollars."),
        ("The price is 54 USD.", "It costs $54.00."),
        ("You save 15 %.", '{"discount": 0.15}'),
        ("It comes on May 21st.", '{"eta": "2026-05-21T10:00:00"}'),
        ("It departs at 6:30 pm.", '{"departure": "18:30:00"}'),
        ("Return it within two weeks.", "Returns are accepted for 14 days."),
        ("It takes 5-7 business days.", "Allow 5 to 7 business days."),
        ("The warranty is 2 years.", "The warranty is 24 months."),
        ("Write to Help@Shop.example.", "Contact help@shop.example for help."),
        ("See https://www.shop.example/help/.", "Read more at shop.example/help."),
        ("Call 555-123-2001.", '{"phone": "5551232001"}'),
        ("It goes to the card ending in 7447.", '{"id": "credit_card_7447"}'),
        ("Seats on May 21 and 22 are free.", '["2026-05-21", "2026-05-22"]'),
    ],
)
def test_value_is_carried_by_the_same_value_in_another_spelling(turn: Any, draft: str, carrier: str) -> None:
    assert codes(turn("hello", draft, tools=[("lookup", carrier)])) == []


def test_amount_in_another_currency_carries_nothing(turn: Any) -> None:
    assert codes(turn("hello", "It costs €54.", tools=[("lookup", "It costs $54.")])) == ["unsupported_money"]


def test_days_do_not_carry_business_days(turn: Any) -> None:
    found = codes(turn("hello", "It takes 5 business days.", tools=[("lookup", "It takes 5 days.")]))
    assert found == ["unsupported_duration"]


@pytest.mark.parametrize(
    "given_elsewhere",
    [
        {"customer": "I paid 54.00 dollars"},
        {"before": [ChatMessage(role="assistant", content="It was $54.00", person=True)]},
        {"before": [ChatMessage(role="system", content="The fee is $54.00")]},
        {"tool_calls": (ToolCall(id="1", name="get_fee", result="54"),)},
        {"passages": ["The fee is $54.00"]},
    ],
)
def test_each_carrier_counts(turn: Any, given_elsewhere: dict[str, Any]) -> None:
    assert "unsupported_money" not in codes(turn(draft="The fee is $54.00.", **given_elsewhere))


def test_profile_counts_as_a_carrier(turn: Any) -> None:
    rules = Rules(profile=Profile(facts=("Delivery costs $4.90",), phones=("+44 20 7946 0958",)))
    assert codes(turn("hello", "Delivery costs $4.90; call 020 7946 0958.", passages=["x"]), rules) == []


def test_address_of_the_contact_is_carried(turn: Any) -> None:
    contact = ContactFacts(emails=("kim@mail.example",))
    assert codes(turn("hello", "It goes to kim@mail.example.", contact=contact)) == []


def test_earlier_words_of_the_agent_carry_nothing(turn: Any) -> None:
    before = [ChatMessage(role="assistant", content="The fee is $54.00")]
    assert codes(turn("really?", "The fee is $54.00.", before=before)) == ["unsupported_money"]


@pytest.mark.parametrize(
    "draft",
    [
        "1. Open the app\n2. Tap on it\n12. Done",
        "I found 3 options for you.",
        "Use the 5G network.",
        "Please send the order number (e.g., #W0000000).",
        "That is one of the two, the 1st.",
    ],
)
def test_markers_counts_and_examples_are_no_claims(turn: Any, draft: str) -> None:
    assert codes(turn("hello", draft, tools=[("lookup", "ok")])) == []


def test_finding_points_at_the_value_and_names_the_nearest_passage(turn: Any) -> None:
    passages = ["Opening hours are on the website.", "Express delivery costs $9.90 within the country."]
    evidence = turn("hello", "Express delivery costs $7.90.", passages=passages)
    (finding,) = GroundingCheck().examine(evidence, evidence.draft, Rules()).findings
    assert finding.span is not None
    assert (evidence.draft.text[finding.span.start : finding.span.end], finding.passage_id) == ("$7.90", "p2")


def test_statements_out_of_nowhere_have_no_source(turn: Any) -> None:
    draft = "The warranty covers manufacturing defects, battery wear, accidental drops, moisture damage plus theft worldwide."
    assert codes(turn("hello", draft)) == ["no_source"]


@pytest.mark.parametrize(
    "draft",
    [
        "Hello! How can I help you today?",
        "I'd be happy to help. Could you please provide your order number and the postal code of the delivery address?",
        "You're welcome! Have a wonderful day.",
    ],
)
def test_small_talk_and_questions_need_no_source(turn: Any, draft: str) -> None:
    assert codes(turn("hello", draft)) == []


def test_draft_about_something_else_than_its_passages_is_weakly_supported(turn: Any) -> None:
    draft = "Gift vouchers arrive electronically, recipients redeem codes during checkout anywhere."
    assert codes(turn("hello", draft, passages=["Parcels are shipped by train on weekdays."])) == ["weak_support"]


def test_signal_falls_with_the_share_of_words_that_are_supported(turn: Any) -> None:
    passage = "Parcels are shipped by train on weekdays from Leeds."
    drafts = [
        "Parcels are shipped by train on weekdays.",
        "Parcels are shipped by train, mostly at night.",
        "Vouchers arrive by post.",
    ]
    evidence = [turn("hello", draft, passages=[passage]) for draft in drafts]
    scores = [GroundingCheck().examine(e, e.draft, Rules()).score for e in evidence]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_list_of_unsupported_values_has_a_limit(turn: Any) -> None:
    draft = " ".join(f"${number}.50," for number in range(100, 400))
    assert codes(turn("hello", draft, passages=["x"])).count("unsupported_money") == FINDINGS_MAX


@given(st.lists(st.decimals(min_value=1, max_value=99_999, places=2), min_size=1, max_size=5))
def test_draft_that_repeats_the_amounts_of_its_passage_is_grounded(amounts: list[object]) -> None:
    passage = Passage(id="p1", text="; ".join(f"fee {amount:,}" for amount in amounts))
    draft = Draft(text="; ".join(f"fee ${amount}" for amount in amounts), sources=(passage,))
    evidence = Evidence(
        turn_id="t", conversation_id="c", channel="x", topic="y", at=datetime(2026, 1, 1, tzinfo=UTC),
        messages=(ChatMessage(role="user", content="hi"),), burst=1, draft=draft,
    )  # fmt: skip
    assert codes(evidence) == []


def test_weak_statement_is_pointed_at_with_its_nearest_passage(turn: Any) -> None:
    passages = ["Tents are sold in three sizes.", "Delivery within the country takes two days by train."]
    text = "Hello! Delivery within the country happens overnight by private helicopters, guaranteed."
    evidence = turn("hello", text, passages=passages)
    (finding,) = GroundingCheck().examine(evidence, evidence.draft, Rules()).findings
    assert finding.span is not None
    assert (finding.code, finding.passage_id) == ("weak_support", "p2")
    assert text[finding.span.start : finding.span.end].endswith("private helicopters, guaranteed.")


def test_reversed_statement_is_found(turn: Any) -> None:
    found = codes(turn("hello", "Sale items are refundable.", passages=["Sale items are not refundable."]))
    assert found == ["reversed"]


@pytest.mark.parametrize(
    "draft",
    [
        "Please let me know if that does not answer your question.",
        "I'm sorry to hear about the trouble with your jacket. Could you tell me your order number?",
        "Which size do you have at the moment?",
    ],
)
def test_manners_and_service_questions_take_little_from_the_score(turn: Any, draft: str) -> None:
    evidence = turn("hello", f"Jackets are cut wide. {draft}", passages=["Jackets are cut wide."])
    assert GroundingCheck().examine(evidence, evidence.draft, Rules()).score > 0.9


def test_number_in_words_carries_its_digits(turn: Any) -> None:
    assert codes(turn("hello", "A team has 11 players.", passages=["A team has eleven players."])) == []


@pytest.mark.parametrize("draft", ["word " * (CHARS_MAX // 5 + 1), "$1 " * (VALUES_MAX + 1), "Yes it is. " * 3_000])
def test_draft_too_long_to_be_examined_is_unknown(turn: Any, draft: str) -> None:
    evidence = turn("hello", draft, passages=["x"])
    findings = GroundingCheck().examine(evidence, evidence.draft, Rules()).findings
    assert "too_long" in [finding.code for finding in findings if finding.severity == "unknown"]


@pytest.mark.parametrize(
    ("draft", "carrier"),
    [
        ("It comes tomorrow.", '{"eta": "2026-05-16"}'),
        ("It comes on Tuesday.", '{"eta": "2026-05-19T10:00:00"}'),
        ("It comes on Tuesday.", "Parcels come on Tuesdays."),
        ("It comes in three days.", '{"eta": "2026-05-18"}'),
        ("It comes in 3 days.", "It comes in 3 days."),
        ("It was sent yesterday.", "Sent on 14 May."),
    ],
)
def test_spoken_day_is_carried_by_its_date(turn: Any, draft: str, carrier: str) -> None:
    assert codes(turn("hello", draft, tools=[("lookup", carrier)])) == []


@pytest.mark.parametrize(
    ("draft", "carrier"),
    [
        ("It comes tomorrow.", '{"eta": "2026-05-18"}'),
        ("It comes on Tuesday.", '{"eta": "2026-05-20"}'),
    ],
)
def test_spoken_day_of_another_date_is_found(turn: Any, draft: str, carrier: str) -> None:
    assert codes(turn("hello", draft, tools=[("lookup", carrier)])) == ["unsupported_date"]


def test_days_ahead_are_carried_as_a_length_of_time_or_as_a_date(turn: Any) -> None:
    assert codes(turn("hello", "It comes in three days.", tools=[("lookup", "Delivery takes 3 days.")])) == []
    found = codes(turn("hello", "It comes in three days.", tools=[("lookup", '{"eta": "2026-05-20"}')]))
    assert found == ["unsupported_duration"]


def test_spoken_day_of_a_turn_without_a_date_claims_nothing(turn: Any) -> None:
    evidence = replace(turn("hello", "It comes tomorrow.", tools=[("lookup", "ok")]), at=NO_MOMENT)
    assert codes(evidence) == []
