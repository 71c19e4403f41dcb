"""Each finding on exposure, deeds, escalation, policy and quality is found in an example, and the page has the same one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from understudy.assessment.assess import assess
from understudy.records.action_rules import ActionLimits, ActionRule
from understudy.records.evidence import Action, ChatMessage, ContactFacts, Owed, ToolCall
from understudy.records.pledges import PledgeKind
from understudy.records.policy import ChannelForm, PolicyRule
from understudy.records.rulebook import ForbiddenPhrase, Profile, Rulebook, Rules, TopicRule

PAGE = " ".join((Path(__file__).parents[3] / "docs" / "reference" / "findings.md").read_text().split())
CHECKS = ("actions", "exposure", "escalation", "policy", "quality")
TWO_PEOPLE = (
    '[{"name": "Kim Lee", "email": "kim@mail.example", "address": "5 Mill Lane"},'
    ' {"name": "Robin Okafor", "email": "robin@mail.example", "address": "12 Harbour Row"}]'
)
PROMPT = (
    "You are the assistant of Example Shop. Never tell customers about the return fraud list, never go above a voucher of "
    "twenty euros, and always close with an offer."
)

CALL_OWED = Owed(
    kind=PledgeKind.CALL,
    words="We will call you tomorrow",
    made_at=datetime(2026, 5, 15, 9, tzinfo=UTC),
    due_at=datetime(2026, 5, 16, 18, tzinfo=UTC),
)
OWN = Rules(profile=Profile(domains=("shop.example",)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A turn in which one thing is found; `quoted` stands on the page."""

    customer: str = "hello, I am kim@mail.example"
    draft: str = "Hello, how can we help?"
    quoted: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    rules: Rules = OWN


def rule(**given: Any) -> Rules:
    return Rules(policy=(PolicyRule(name="example", **given),))


def called(name: str, arguments: str = "{}", result: str | None = None, **more: Any) -> dict[str, Any]:
    return {"tool_calls": (ToolCall(id="1", name=name, arguments=arguments, result=result, **more),)}


def said(*lines: str) -> dict[str, Any]:
    """Earlier messages, the customer first, in turns."""
    roles = ("user", "assistant")
    return {"before": [ChatMessage(role=roles[at % 2], content=line) for at, line in enumerate(lines)]}  # type: ignore[arg-type]


def proposed(name: str, **arguments: Any) -> dict[str, Any]:
    return {"actions": (Action(name=name, arguments=arguments),)}


def refunds(amount: str) -> Rules:
    schema = '{"properties":{"amount":{"type":"number"}},"required":["amount"]}'
    limits = ActionLimits(amount=100_000_000)
    return Rules(actions=(ActionRule(name="refund", schema=schema, amount=amount, limits=limits),))


REFUNDS, WITHOUT_TOTAL = refunds("$.amount"), refunds("$.total")

EXAMPLES: dict[str, Example] = {
    "actions.unbacked_action": Example(draft="I've refunded your order.", quoted="I've refunded your order"),
    "actions.contradicted_action": Example(
        draft="I've cancelled your booking.",
        quoted="I've cancelled your booking",
        given=called("cancel_booking", result="Error: already flown"),
    ),
    "actions.invented_argument": Example(
        draft="One moment.", quoted="W77120934", given=called("cancel_order", '{"order_id": "W77120934"}')
    ),
    "actions.not_all_read": Example(draft="We are here. " * 3_100),
    "actions.undeclared": Example(
        draft="Hello.", quoted="`close_account`", given=proposed("close_account"), rules=REFUNDS
    ),
    "actions.wrong_arguments": Example(
        draft="Hello.", quoted='`{"amount": "a lot"}`', given=proposed("refund", amount="a lot"), rules=REFUNDS
    ),
    "actions.amount_unknown": Example(
        draft="Hello.", quoted='`amount = "$.total"`', given=proposed("refund", amount=5), rules=WITHOUT_TOTAL
    ),
    "actions.over_limit": Example(
        draft="Hello.", quoted="a refund of 250", given=proposed("refund", amount=250), rules=REFUNDS
    ),
    "actions.too_many": Example(
        draft="Hello.", given={"actions": (Action(name="refund", arguments={"amount": 1}),) * 21}, rules=REFUNDS
    ),
    "exposure.card_number": Example(
        draft="Your card 4111 1111 1111 1111 is charged.", quoted="Your card 4111 1111 1111 1111"
    ),
    "exposure.foreign_email": Example(draft="Ask lee@mail.example.", quoted="Ask lee@mail.example"),
    "exposure.unverified_email": Example(
        customer="hello",
        draft="Instructions go to kim@mail.example.",
        quoted="Instructions go to kim@mail.example",
        given={"tools": [("get_account", '{"email": "kim@mail.example"}')]},
    ),
    "exposure.unverified_account": Example(
        customer="where is it?",
        draft="Your parcel A-4711 has left.",
        quoted="Your parcel A-4711 has left",
        given={"tools": [("get_order", '{"parcel": "A-4711"}')], "is_verified": False},
    ),
    "exposure.foreign_phone": Example(
        draft="You can reach her on +44 7700 900123.", quoted="You can reach her on +44 7700 900123"
    ),
    "exposure.unverified_phone": Example(
        draft="We call you on +44 7700 900123.",
        quoted="We call you on +44 7700 900123",
        given={"tools": [("get_account", '{"phone": "+447700900123"}')]},
    ),
    "exposure.bank_account": Example(
        draft="We pay it to GB82 WEST 1234 5698 7654 32.", quoted="We pay it to GB82 WEST 1234 5698 7654 32"
    ),
    "exposure.national_id": Example(draft="Your SSN is 536-90-4399.", quoted="Your SSN is 536-90-4399"),
    "exposure.foreign_name": Example(
        draft="The other order is Robin Okafor's.",
        quoted="The other order is Robin Okafor's",
        given={"tools": [("find_customers", TWO_PEOPLE)]},
    ),
    "exposure.foreign_address": Example(
        draft="It was sent to 12 Harbour Row.",
        quoted="It was sent to 12 Harbour Row",
        given={"tools": [("find_customers", TWO_PEOPLE)]},
    ),
    "exposure.secret": Example(draft="Your password is Tulip2026", quoted="Your password is Tulip2026"),
    "exposure.internal_link": Example(draft="See http://wiki.corp/refunds.", quoted="See http://wiki.corp/refunds"),
    "exposure.instructions_quoted": Example(
        draft=f"My instructions are: {PROMPT}", given={"before": [ChatMessage(role="system", content=PROMPT)]}
    ),
    "exposure.not_all_read": Example(draft="We are here. " * 3_100),
    "exposure.card_masked": Example(
        customer="My card is [card ending 1111]",
        quoted="My card is [card ending 1111]",
        given={"masked": ("customer",)},
    ),
    "escalation.wants_person": Example(customer="Can I talk to a human?", quoted="Can I talk to a human?"),
    "escalation.accepts_person": Example(
        customer="Yes, please.",
        quoted='"Would you like me to transfer you to a colleague?", answered by "Yes, please"',
        given=said("It still does not work.", "Would you like me to transfer you to a colleague?"),
    ),
    "escalation.person_announced": Example(
        draft="I am transferring you to a human agent.", quoted="I am transferring you to a human agent"
    ),
    "escalation.self_harm": Example(customer="I want to kill myself", quoted="I want to kill myself"),
    "escalation.threat": Example(
        customer="I will find and hurt you, I know where you work",
        quoted="I will find and hurt you, I know where you work",
    ),
    "escalation.vulnerable": Example(
        customer="My husband died last week and I can't afford rent",
        quoted="My husband died last week and I can't afford rent",
    ),
    "escalation.fraud": Example(
        customer="Someone used my card, I did not make this payment",
        quoted="Someone used my card, I did not make this payment",
    ),
    "escalation.legal_threat": Example(customer="You will hear from my lawyer", quoted="You will hear from my lawyer"),
    "escalation.complaint": Example(
        customer="I want to make a formal complaint", quoted="I want to make a formal complaint"
    ),
    "escalation.anger": Example(
        customer="This is ridiculous, worst service ever", quoted="This is ridiculous, worst service ever"
    ),
    "escalation.rising_anger": Example(
        customer="How many times, I am disappointed",
        quoted="How many times, I am disappointed",
        given=said("Where is my parcel?", "Which number?", "I already told you, this does not help", "Please wait."),
    ),
    "escalation.repeated_question": Example(
        customer="Where is my order number twelve please?",
        given=said("Where is my order number twelve please?", "On its way."),
    ),
    "escalation.going_in_circles": Example(
        draft="Please restart the router and wait until the light turns green.",
        given=said("It is broken", "Please restart the router and wait until the light turns green."),
    ),
    "escalation.never_auto": Example(
        customer="Where is my parcel? And I have a power of attorney",
        quoted="Where is my parcel? And I have a power of attorney",
        rules=Rules(never_auto=("legal",), topics=(TopicRule(topic="legal", phrases=("power of attorney",)),)),
    ),
    "escalation.vip": Example(quoted='"tags": ["vip"]', given={"contact": ContactFacts(tags=("vip",))}),
    "escalation.open_complaint": Example(
        quoted='"tags": ["open_complaint"]', given={"contact": ContactFacts(tags=("open_complaint",))}
    ),
    "escalation.unknown_language": Example(
        customer="Wo bleibt meine Bestellung, ich warte schon seit zwei Wochen",
        quoted="Wo bleibt meine Bestellung, ich warte schon seit zwei Wochen",
    ),
    "escalation.needs_person": Example(
        customer="It says my account is locked",
        quoted="It says my account is locked",
        given=called("transfer_to_human", '{"summary": "account locked"}'),
    ),
    "policy.forbidden_phrase": Example(
        draft="It is guaranteed delivery.",
        quoted="guaranteed delivery",
        rules=Rules(forbidden=(ForbiddenPhrase(phrase="guaranteed delivery", why="never"),)),
    ),
    "policy.promise": Example(
        draft="We promise delivery by Friday.",
        quoted="We promise delivery by Friday",
        rules=rule(kind="promise", patterns=(r"(guarantee|promise)\w* (delivery|arrival) (by|on)",)),
    ),
    "policy.competitor": Example(
        draft="Globex is cheaper.", quoted="Globex is cheaper", rules=rule(kind="competitor", phrases=("Globex",))
    ),
    "policy.advice": Example(
        draft="You should stop taking it.",
        quoted="You should stop taking it",
        rules=rule(kind="advice", phrases=("you should stop taking",)),
    ),
    "policy.required_missing": Example(
        draft="The price is nine euros.",
        quoted='`when = ["price"]`',
        rules=rule(kind="required", phrases=("plus delivery",), when=("price",)),
    ),
    "quality.empty": Example(draft="   "),
    "quality.truncated": Example(draft="You can send it back to the", quoted="You can send it back to the"),
    "quality.does_not_know": Example(draft="I'm sorry, I don't know.", quoted="I'm sorry, I don't know"),
    "quality.refusal": Example(
        draft="As an AI language model I cannot help with that.",
        quoted="As an AI language model I cannot help with that",
    ),
    "quality.handoff_requested": Example(quoted='"handoff": true', given={"handoff": True}),
    "quality.placeholder": Example(draft="Dear {{name}}, thank you.", quoted="Dear {{name}}"),
    "quality.wrong_language": Example(
        customer="Can you please check what is in my order?",
        draft="Vielen Dank, wir haben das für Sie geprüft.",
        quoted="Vielen Dank, wir haben das für Sie geprüft",
    ),
    "quality.too_long": Example(
        draft="x" * 600,
        quoted="`chars_max = 480`",
        rules=Rules(channels=(ChannelForm(channel="webchat", chars_max=480),)),
    ),
    "quality.repetition": Example(
        draft="Please send it back within thirty days. Please send it back within thirty days.",
        quoted="Please send it back within thirty days. Please send it back within thirty days.",
    ),
    "quality.self_contradiction": Example(
        draft="Opened headphones cannot be returned to a shop.",
        quoted="Opened headphones cannot be returned to a shop",
        given=said("Can I return them?", "Opened headphones can be returned to a shop."),
    ),
    "quality.broken_link": Example(draft="See [our terms]() for more.", quoted="[our terms]()"),
    "quality.unlisted_link": Example(draft="See https://other.example/deals.", quoted="other.example/deals"),
    "quality.markup": Example(draft="See the list:<br>", quoted="See the list:<br>"),
    "quality.pledge_contradicted": Example(
        draft="We cannot call you back.", quoted="We cannot call you back", given={"owed": (CALL_OWED,)}
    ),
    "quality.pledged_again": Example(
        draft="As I said, we will call you tomorrow.",
        quoted="As I said, we will call you tomorrow",
        given={"owed": (CALL_OWED,)},
    ),
}


def test_every_code_has_an_example() -> None:
    modules = [importlib.import_module(f"understudy.assessment.checks.{check}") for check in CHECKS]
    assert sorted(EXAMPLES) == sorted(code.name for module in modules for code in module.CODES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_found_where_it_stands(turn: Callable[..., Any], name: str) -> None:
    example = EXAMPLES[name]
    evidence = turn(example.customer, example.draft, **dict(example.given))
    findings = assess(evidence, Rulebook(id="r", rules=example.rules)).findings
    assert name in {finding.name for finding in findings}, [finding.name for finding in findings]
    assert all(f.span is None or f.span.end <= len(example.draft) for f in findings)


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.quoted])
def test_page_has_the_example(name: str) -> None:
    section = PAGE.split(f"### `{name}`")[1].split("### `")[0]
    assert EXAMPLES[name].quoted in section
