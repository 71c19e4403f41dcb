"""A run makes every trial once, keeps the world's failures apart from the agent's, and goes on where it was."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.assessment.checks import CHECKS
from understudy.errors import AgentAnsweredNonsense, AgentUnavailable, ConfigurationError
from understudy.evaluation.attempts import Release
from understudy.evaluation.case_file import read_case
from understudy.evaluation.conversation import Player, ScriptedPlayer
from understudy.evaluation.graders import graders_of
from understudy.evaluation.graders.contract import NO_MEANS, Means
from understudy.evaluation.journal import Journal, RunHead
from understudy.evaluation.pacing import PacedAgent, RememberingAgent
from understudy.evaluation.plan import plan_of
from understudy.evaluation.runner import RunLimits, Runner, RunOutcome
from understudy.ports.agent import Agent, DraftRequest
from understudy.ports.opinion import OpinionRequest, Said
from understudy.records.evidence import Action, Draft
from understudy.records.suite import Case, Suite, Trial
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of
from understudy.testing.scripted import FrozenClock, ScriptedAgent

RULEBOOK = rulebook_of(Settings())


def case(name: str = "one", **data: Any) -> Case:
    form = {"id": name, "messages": [{"user": f"question {name}"}], "graders": [{"regex": "yes"}]} | data
    return read_case(form, "here")


class Desk:
    """Runs suites in a folder; keep the file to go on with it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "out.jsonl"
        self.clock = FrozenClock()
        self.player: Callable[[Case, int], Player] = lambda one, trial: ScriptedPlayer(one.customer)  # type: ignore[arg-type]

    def run(
        self,
        cases: Sequence[Case],
        agent: Agent,
        *,
        trials: int = 1,
        means: Means = NO_MEANS,
        is_decided: Callable[[Sequence[Trial]], bool] = lambda found: False,
        drops_errors: bool = False,
        **limits: int,
    ) -> RunOutcome:
        suite = Suite(name="suite", cases=tuple(cases))
        release = Release(name="r1", agent=agent, rulebook=RULEBOOK, checks=CHECKS)

        async def made() -> RunOutcome:
            head = RunHead(run="run-1", suite="suite", suite_digest=suite.checksum, release="r1")
            journal = Journal.opened(self.file, head, drops_errors=drops_errors)
            runner = Runner(
                release,
                self.clock,
                graders={one.id: graders_of(one, means) for one in cases},
                player=self.player,
                limits=RunLimits(**limits),
            )
            return await runner.run(plan_of(suite, trials=trials), journal, is_decided=is_decided)

        return asyncio.run(made())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


CASES = [case(name) for name in ("a", "b", "c", "d")]


def test_every_case_is_tried_as_often_as_asked(desk: Desk) -> None:
    outcome = desk.run(CASES, ScriptedAgent("yes"), trials=5)
    assert Counter(one.case for one in outcome.trials) == dict.fromkeys("abcd", 5)
    assert [one.loss for one in outcome.trials] == [0.0] * 20
    assert Counter((line["case"], line["trial"]) for line in desk.lines()).most_common(1)[0][1] == 1


def test_case_is_tried_in_passes_over_the_suite(desk: Desk) -> None:
    outcome = desk.run(CASES, ScriptedAgent("yes"), trials=3)
    assert [one.trial for one in outcome.trials] == [0] * 4 + [1] * 4 + [2] * 4


def test_unreachable_agent_is_tried_again_then_reported_as_an_error(desk: Desk) -> None:
    agent = ScriptedAgent(lambda request: AgentUnavailable("down"))
    outcome = desk.run(CASES[:1], agent, attempts_max=3)
    assert len(agent.requests) == 3
    assert outcome.trials[0].loss is None
    assert outcome.trials[0].error == "agent-unavailable: down"
    assert desk.lines()[0]["passed"] is None


def test_agent_that_comes_back_is_no_error(desk: Desk) -> None:
    outcome = desk.run(CASES[:1], ScriptedAgent([AgentUnavailable(), "yes"]))
    assert (outcome.trials[0].loss, outcome.trials[0].attempts) == (0.0, 2)
    assert desk.clock.slept


def test_nonsense_is_not_asked_for_again(desk: Desk) -> None:
    agent = ScriptedAgent(lambda request: AgentAnsweredNonsense("not a draft"))
    assert desk.run(CASES[:1], agent).trials[0].error
    assert len(agent.requests) == 1


class MumblingJudge:
    """A judge that answers what it is told to, each in turn."""

    name = "mumbling"

    def __init__(self, words: list[str | None]) -> None:
        self.words = words

    async def ask(self, request: OpinionRequest) -> Said:
        return Said(word=self.words.pop(0))

    async def check(self) -> str:
        return "here"

    async def close(self) -> None:
        pass


def judged(words: list[str | None]) -> tuple[Case, Means]:
    judge = MumblingJudge(words)
    return case(graders=[{"judge": "Is it polite?"}]), Means(judge=lambda name, prompt: judge)


@pytest.mark.parametrize("word", ["unknown", "I think it passes", "", "passed", None])
def test_judge_that_does_not_judge_makes_the_trial_an_error(desk: Desk, word: str | None) -> None:
    one, means = judged([word] * 3)
    outcome = desk.run([one], ScriptedAgent("yes"), means=means)
    assert outcome.trials[0].loss is None
    assert "judge:mumbling" in (outcome.trials[0].error or "")


def test_judge_is_asked_again_and_the_agent_is_not(desk: Desk) -> None:
    one, means = judged(["hm", "fail"])
    agent = ScriptedAgent("yes")
    assert desk.run([one], agent, means=means).trials[0].loss == 1.0
    assert len(agent.requests) == 1


def test_finished_trials_are_not_made_again(desk: Desk) -> None:
    desk.run(CASES[:2], ScriptedAgent("yes"), trials=2)
    before = desk.file.read_bytes()
    agent = ScriptedAgent([])
    outcome = desk.run(CASES[:2], agent, trials=2)
    assert (outcome.resumed, len(outcome.trials), agent.requests) == (4, 4, [])
    assert desk.file.read_bytes() == before


@given(cut=st.integers(min_value=0))
@settings(max_examples=25)
def test_run_cut_off_at_any_byte_goes_on(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    desk = Desk(tmp_path_factory.mktemp("cut"))
    desk.run(CASES, ScriptedAgent("yes"), trials=2)
    whole = desk.file.read_bytes()
    left = whole[: cut % (len(whole) + 1)]
    desk.file.write_bytes(left)
    agent = ScriptedAgent("yes")
    outcome = desk.run(CASES, agent, trials=2)
    assert len(outcome.trials) == 8
    assert len(agent.requests) == 8 - left.count(b"\n")
    assert sorted((line["case"], line["trial"]) for line in desk.lines()) == [(c, t) for c in "abcd" for t in (0, 1)]


def test_results_of_another_suite_are_not_mixed_in(desk: Desk) -> None:
    desk.run(CASES[:2], ScriptedAgent("yes"))
    with pytest.raises(ConfigurationError, match="another suite digest"):
        desk.run(CASES[:3], ScriptedAgent("yes"))


def test_errors_can_be_tried_again(desk: Desk) -> None:
    desk.run(CASES[:1], ScriptedAgent(lambda request: AgentUnavailable()), attempts_max=1)
    outcome = desk.run(CASES[:1], ScriptedAgent("yes"), drops_errors=True)
    assert [one.loss for one in outcome.trials] == [0.0]
    assert len(desk.lines()) == 1


def test_no_more_trials_at_once_than_allowed(desk: Desk) -> None:
    at_once: list[int] = []

    class Slow(ScriptedAgent):
        running = 0

        async def draft(self, request: DraftRequest) -> Draft:
            self.running += 1
            at_once.append(self.running)
            await asyncio.sleep(0.001)
            self.running -= 1
            return await super().draft(request)

    desk.run(CASES, Slow("yes"), trials=5, at_once_max=3)
    assert max(at_once) == 3


def test_spent_budget_ends_the_run_and_what_is_done_is_kept(desk: Desk) -> None:
    agent = PacedAgent(ScriptedAgent("yes"), desk.clock, per_minute_max=None, calls_max=5)
    outcome = desk.run(CASES, agent, trials=2, at_once_max=1)
    assert (outcome.ended, len(outcome.trials)) == ("budget", 5)
    rest = PacedAgent(ScriptedAgent("yes"), desk.clock, per_minute_max=None, calls_max=5)
    outcome = desk.run(CASES, rest, trials=2)
    assert (outcome.ended, len(outcome.trials), rest.calls) == (None, 8, 3)


def test_agent_is_asked_no_oftener_than_its_rate(desk: Desk) -> None:
    at: list[float] = []
    clock = desk.clock
    inner = ScriptedAgent(lambda request: at.append(clock.now().timestamp()) or "yes")
    desk.run(CASES, PacedAgent(inner, clock, per_minute_max=3, calls_max=None), trials=3, at_once_max=1)
    assert len(at) == 12
    assert all(later - earlier >= 60 for earlier, later in zip(at, at[3:], strict=False))


def test_equal_requests_are_answered_from_memory_and_other_trials_are_not(desk: Desk, tmp_path: Path) -> None:
    inner = ScriptedAgent("yes")
    desk.run(CASES, RememberingAgent(inner, tmp_path / "cache", release_key="k"), trials=2)
    assert len(inner.requests) == 8
    desk.file.unlink()
    again = ScriptedAgent([])
    desk.run(CASES, RememberingAgent(again, tmp_path / "cache", release_key="k"), trials=2)
    assert again.requests == []
    desk.file.unlink()
    other = ScriptedAgent("yes")
    desk.run(CASES, RememberingAgent(other, tmp_path / "cache", release_key="another"), trials=2)
    assert len(other.requests) == 8


def test_run_that_is_decided_ends_early_on_the_same_trials_however_quick_they_are(desk: Desk) -> None:
    outcome = desk.run(CASES, ScriptedAgent("yes"), trials=20, is_decided=lambda found: len(found) >= 30, at_once_max=7)
    assert outcome.ended == "decided"
    assert [(one.case, one.trial) for one in outcome.trials] == [
        (one.case.id, one.trial)
        for one in plan_of(Suite(name="s", cases=tuple(CASES)), trials=20)[: len(outcome.trials)]
    ]
    assert 30 <= len(outcome.trials) <= 32


# --- tools and conversations ---

TOOLS = [
    {"name": "get_order", "arguments": {"id": "A-1"}, "result": {"state": "shipped"}},
    {"name": "refund", "error": "timeout", "call": 1},
    {"name": "refund", "result": "done"},
]


def test_proposed_calls_are_answered_from_the_case(desk: Desk) -> None:
    asked = [
        Draft(text="", actions=(Action(name="get_order", arguments={"id": "A-1"}),)),
        Draft(text="", actions=(Action(name="refund", arguments={}),)),
        Draft(text="", actions=(Action(name="refund", arguments={}),)),
        Draft(text="yes, refunded", actions=(Action(name="close_ticket", arguments={}),)),
    ]
    agent = ScriptedAgent(asked)
    expected = {"expected": ["get_order", "refund", "refund", "close_ticket"], "only": True}
    one = case(tools=TOOLS, graders=[{"tools": {**expected, "expected": [{"name": n} for n in expected["expected"]]}}])
    assert desk.run([one], agent).trials[0].loss == 0.0
    results = [message.content for message in agent.requests[-1].messages if message.role == "tool"]
    assert results == ['{"state": "shipped"}', '{"error": "timeout"}', "done"]


def test_unknown_arguments_are_answered_by_an_error(desk: Desk) -> None:
    call = Draft(text="", actions=(Action(name="get_order", arguments={"id": "B-2"}),))
    agent = ScriptedAgent([call, "yes"])
    desk.run([case(tools=TOOLS)], agent)
    assert "no answer is recorded" in (agent.requests[-1].messages[-1].content or "")


def test_agent_is_told_that_nobody_waits_and_what_it_would_find(desk: Desk) -> None:
    agent = ScriptedAgent("yes")
    desk.run([case(tools=TOOLS, sources=[{"id": "kb-1", "text": "We ship in 2 days."}])], agent)
    rehearsal = agent.requests[0].rehearsal
    assert rehearsal is not None
    assert (rehearsal.case, [one.id for one in rehearsal.sources], len(rehearsal.tools)) == ("one", ["kb-1"], 3)


SCRIPT = {
    "start": {"say": "Where is my order?", "then": [{"when": "order number", "go": "tell"}, {"go": "start"}]},
    "tell": {"say": "It is {order}.", "then": [{"when": "tomorrow", "go": "glad"}, {"go": "sad"}]},
    "glad": {"ends": "satisfied"},
    "sad": {"ends": "unsatisfied"},
}


def talk(**customer: Any) -> Case:
    played = {"goal": "find the order", "facts": {"order": "A-1"}, "script": SCRIPT} | customer
    return case(kind="conversation", messages=[], customer=played, graders=[{"ended": "satisfied"}])


def test_scripted_customer_tells_what_is_asked_and_is_satisfied(desk: Desk) -> None:
    agent = ScriptedAgent(["What is your order number?", "It comes tomorrow."])
    trial = desk.run([talk()], agent).trials[0]
    assert trial.loss == 0.0
    assert [one.content for one in agent.requests[1].messages] == [
        "Where is my order?",
        "What is your order number?",
        "It is A-1.",
    ]


def test_scripted_customer_gives_up(desk: Desk) -> None:
    trial = desk.run([talk()], ScriptedAgent(["What is your order number?", "No idea."])).trials[0]
    assert (trial.loss, "unsatisfied" in trial.why) == (1.0, True)


def test_conversation_ends_after_its_turns(desk: Desk) -> None:
    agent = ScriptedAgent("Hm.")
    trial = desk.run([talk(turns_max=3)], agent).trials[0]
    assert (len(agent.requests), "turns_max" in trial.why) == (3, True)


def test_conversation_ends_where_the_agent_hands_off(desk: Desk) -> None:
    trial = desk.run([talk()], ScriptedAgent([Draft(text="A colleague will help.", handoff=True)])).trials[0]
    assert "handed_off" in trial.why


def test_what_makes_a_run_impossible_comes_out_as_one_message_and_keeps_what_is_done(desk: Desk) -> None:
    def nobody(one: Case, trial: int) -> Player:
        raise ConfigurationError("there is no agent 'nobody'")

    desk.player = nobody
    with pytest.raises(ConfigurationError, match="no agent 'nobody'"):
        desk.run([*CASES, talk()], ScriptedAgent("yes"), trials=2, at_once_max=1)
    assert desk.file.exists()
