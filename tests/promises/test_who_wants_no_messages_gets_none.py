"""After a STOP nothing is sent to this customer on this channel but its one confirmation, whatever else goes on, until a START.

Not promised: that a message whose sending had begun is called back, nor what a carrier sends by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stage_plan import ON_EACH_STORE, rules
from understudy.errors import UnderstudyError
from understudy.records.opt_out import OptOutTerms, OptOutWords
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.testing.scripted import DeliversThen, RecordingChannel
from understudy.turn.asides import Asides

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]

HERE = frozenset({"recording"})
WORDS = OptOutWords(stop=("stop",), start=("start",), stopped="No more.", started="Again.")
MINDED = Asides(opt_out=OptOutTerms(channels=HERE, confirmed=HERE, words={"en": WORDS}))
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
    max_size=8,
)
WHO = st.sampled_from(["e-1", "e-2"])
DOINGS = st.lists(
    st.one_of(
        st.tuples(st.just("writes"), WHO),
        st.tuples(st.just("writes, unsettled"), WHO),
        st.tuples(st.just("stop"), WHO),
        st.tuples(st.just("stop"), WHO),
        st.tuples(st.just("start"), WHO),
        st.tuples(st.just("decides"), st.sampled_from(["approve", "edit", "respond"])),
        st.tuples(st.just("says"), WHO),
        st.tuples(st.just("time passes"), st.sampled_from([10, 3_000])),
        st.tuples(st.just("dies"), st.none()),
    ),
    min_size=3,
    max_size=14,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(doings=DOINGS, answers=ANSWERS, level=st.sampled_from([Level.AUTO, Level.ASSIST]))
def test_nothing_leaves_between_stop_and_start_but_the_confirmation(
    build: Build, doings: list[Any], answers: list[Any], level: Level
) -> None:
    channel = RecordingChannel(answers=answers)
    stage = first = build(channel=channel, asides=MINDED, rules=rules(level))
    out: set[str] = set()
    looked_at = 0
    try:
        for what, which in [*doings, ("time passes", 100_000)]:
            if what == "start":
                out.discard(which)
            with suppress(UnderstudyError):  # not possible just now
                stage = _do(stage, what, which, out)
            stage.settle()
            begun = [entry for entry in channel.attempts[looked_at:] if entry.external_id in out]
            assert {entry.author_name for entry in begun} <= {"opt_out.stop@1"}, [entry.text for entry in begun]
            looked_at = len(channel.attempts)
        confirmed = Counter(entry.id for entry in channel.delivered if entry.text == "No more.")
        assert all(count == 1 for count in confirmed.values())
    finally:
        first.close()


def _do(stage: Any, what: str, which: Any, out: set[str]) -> Any:
    match what:
        case "writes":
            stage.ask(f"Question {stage.clock.new_id('q')}", to=which)
        case "writes, unsettled":
            stage.receive(f"Question {stage.clock.new_id('q')}", to=which)
        case "stop" | "start":
            stage.receive(what, to=which)
            if what == "stop":
                out.add(which)
        case "decides":
            for hold in stage.open_holds:
                if hold.kind in (HoldKind.DRAFT, HoldKind.HAND_OFF):
                    stage.give(hold, VerdictKind(which))
        case "says":
            conversation = stage.read(lambda tx: tx.conversations.find("recording", which))
            if conversation is not None:
                stage.run(stage.conversations.take_over(conversation.id, reviewer="rosa"))
                stage.run(stage.conversations.say(conversation.id, "Rosa here.", reviewer="rosa"))
        case "time passes":
            stage.pass_time(which)
        case "dies":
            return stage.restarted()
    return stage
