"""No first message of the agent leaves without telling that an AI wrote it, whatever happens before and between.

*First* is first in the conversation, first after a person wrote in it, and first after the configured pause. Not promised:
that it was read, nor what a channel shows in its own way, such as a line of a chat's page.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stage_plan import ON_EACH_STORE, rules
from understudy.errors import UnderstudyError
from understudy.records.conversation import Author
from understudy.records.disclosure import ChannelDisclosure, DisclosureText, Shown
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.trust import TrustRules
from understudy.testing.scripted import DeliversThen, RecordingChannel

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]

WORDS = "An AI writes here."
PAUSE = timedelta(hours=2)
TELLING = {
    "recording": ChannelDisclosure(
        shown=Shown.MESSAGE,
        texts={"en": DisclosureText(text=WORDS, short="AI:")},
        language="en",
        again_after=PAUSE,
    )
}
ANSWERS = st.lists(
    st.sampled_from(
        [
            Accepted(),
            Accepted(),
            Retry(reason="busy"),
            Rejected(reason="blocked"),
            Unknown(reason="reset"),
            DeliversThen(answer=OSError("broken pipe")),
        ]
    ),
    max_size=12,
)
DOINGS = st.lists(
    st.one_of(
        st.tuples(st.just("writes"), st.integers(1, 2)),
        st.tuples(st.just("writes, unsettled"), st.integers(1, 2)),
        st.tuples(st.just("decides"), st.sampled_from(["approve", "edit", "reject", "respond"])),
        st.tuples(st.just("takes over"), st.integers(1, 2)),
        st.tuples(st.just("says"), st.integers(1, 2)),
        st.tuples(st.just("hands back"), st.integers(1, 2)),
        st.tuples(st.just("time passes"), st.sampled_from([10, 3_000, 8_000])),
        st.tuples(st.just("dies"), st.none()),
    ),
    min_size=2,
    max_size=14,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(doings=DOINGS, answers=ANSWERS, level=st.sampled_from([Level.AUTO, Level.AUTO, Level.ASSIST]))
def test_first_message_of_the_agent_tells_it_whatever_happens(
    build: Build, doings: list[Any], answers: list[Any], level: Level
) -> None:
    channel = RecordingChannel(answers=answers)
    stage = build(channel=channel, disclosures=TELLING, rules=rules(level, trust=TrustRules(is_on=False)))
    first = stage
    try:
        for what, which in doings:
            with suppress(UnderstudyError):  # not possible just now
                stage = _do(stage, what, which)
        stage.let_people_finish()
        _assert_told(stage, channel)
    finally:
        first.close()


def _do(stage: Any, what: str, which: Any) -> Any:
    if what in ("takes over", "says", "hands back") and not _is_begun(stage, f"e-{which}"):
        return stage
    match what:
        case "writes":
            stage.ask(f"Question {stage.clock.new_id('q')}", to=f"e-{which}")
        case "writes, unsettled":
            stage.receive(f"Question {stage.clock.new_id('q')}", to=f"e-{which}")
        case "decides":
            for hold in stage.open_holds:
                if hold.kind is HoldKind.DRAFT:
                    stage.give(hold, VerdictKind(which))
                    stage.settle()
        case "takes over":
            stage.run(stage.conversations.take_over(stage.conversation(f"e-{which}").id, reviewer="rosa"))
        case "says":
            stage.run(stage.conversations.say(stage.conversation(f"e-{which}").id, "Rosa here.", reviewer="rosa"))
        case "hands back":
            stage.run(stage.conversations.hand_back(stage.conversation(f"e-{which}").id, reviewer="rosa"))
        case "time passes":
            stage.pass_time(which)
        case "dies":
            return stage.restarted()
    return stage


def _assert_told(stage: Any, channel: RecordingChannel) -> None:
    for name in ("e-1", "e-2"):
        has_been_told = False
        seen: set[str] = set()
        for entry in channel.delivered:
            if entry.external_id != name or entry.id in seen:
                continue
            seen.add(entry.id)
            tells = entry.text.startswith(WORDS)
            if entry.author is Author.AGENT:
                assert has_been_told or tells, f"{entry.text!r} leaves without a word of who wrote it"
                has_been_told = True
            else:
                assert not tells, f"{entry.text!r} is no AI's"
                has_been_told = False
    told = [entry for entry in stage.ledger if entry.event == "disclosure.made"]
    kept = [message for name in ("e-1", "e-2") for message in _messages(stage, name) if message.disclosure is not None]
    assert len(told) == len(kept)


def _messages(stage: Any, name: str) -> list[Any]:
    return stage.messages(name) if _is_begun(stage, name) else []


def _is_begun(stage: Any, name: str) -> bool:
    return stage.read(lambda tx: tx.conversations.find("recording", name)) is not None
