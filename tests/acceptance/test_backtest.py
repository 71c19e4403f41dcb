"""`understudy backtest` as a support lead uses it: counts that certify exactly, forms of others, and errors that say where."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.backtest.histories.tables import FIELDS

DOCS = Path(__file__).parents[2] / "docs"
SLICE = {"slice", "labels", "bad", "threshold", "certified", "coverage", "risk_upper", "labels_needed"}
GOOD, BAD = {"action": "approve"}, {"action": "reject"}
Run = Callable[..., Any]


def record(number: int, verdict: Any = GOOD, *, confidence: float | None = 0.9, **more: Any) -> dict[str, Any]:
    return {
        "id": f"t-{number}",
        "conversation_id": f"c-{number}",
        "messages": [{"role": "user", "content": "When does my parcel come?"}],
        "draft": {"text": "It comes on Monday.", "confidence": confidence},
        "verdict": verdict,
        **more,
    }


def counted(labels: int, bad: int) -> list[Any]:
    return [record(number, BAD if number < bad else GOOD) for number in range(labels)]


@pytest.fixture
def backtest(tmp_path: Path, understudy_here: Run) -> Run:
    """Write a history and run the command on it, with `--json`: `backtest(records, "--risk", "0.05")`."""

    def run(history: list[Any] | str, *words: str, name: str = "history.jsonl", as_json: bool = True) -> Any:
        text = history if isinstance(history, str) else "".join(json.dumps(one) + "\n" for one in history)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return understudy_here("backtest", name, *words, *(["--json"] if as_json else []), cwd=tmp_path)

    return run


FIVE = ("--risk", "0.05", "--confidence", "0.95")


def test_too_short_a_history_is_not_said_to_be_beyond_what_labels_change(backtest: Run, tmp_path: Path) -> None:
    ended = backtest(counted(1, 0), *FIVE, "--report", "answer.md", as_json=False)
    assert ended.code == 2
    assert "will not change that" not in ended.out
    assert "No draft reaches a threshold yet; at least 75 good labels are needed." in " ".join(ended.out.split())
    assert "lower it" not in (tmp_path / "answer.md").read_text()
    backtest(counted(80, 0), *FIVE, "--threshold", "0.95", "--report", "answer.md", as_json=False)
    assert "lower it" in (tmp_path / "answer.md").read_text()


ASKED = (*FIVE, "--threshold", "0.8")


@pytest.mark.parametrize(("labels", "bad"), [(75, 0), (131, 1), (171, 2), (210, 3)])
def test_counts_certify_exactly_at_the_table(backtest: Run, labels: int, bad: int) -> None:
    short, enough = backtest(counted(labels - 1, bad), *ASKED), backtest(counted(labels, bad), *ASKED)
    assert (short.code, enough.code) == (2, 0)
    for ended, is_certified in ((short, False), (enough, True)):
        for one in (ended.json()["overall"], *ended.json()["slices"]):
            assert set(one) >= SLICE
            assert one["certified"] is is_certified
            assert one["coverage"] == (1.0 if is_certified else 0.0)
            assert one["labels_needed"] == (0 if is_certified else 1)
            assert (one["risk_upper"] <= 0.05) is is_certified
            assert (one["bad"], one["threshold"]) == (bad, 0.8)


@pytest.mark.parametrize(("risk", "labels"), [("0.02", 189), ("0.01", 379)])
def test_other_targets_certify_at_their_own_counts(backtest: Run, risk: str, labels: int) -> None:
    words = ("--risk", risk, "--confidence", "0.95", "--threshold", "0.5")
    assert [backtest(counted(count, 0), *words).code for count in (labels - 1, labels)] == [2, 0]


def test_slices_are_cut_as_asked(backtest: Run) -> None:
    history = [record(n, topic=("refunds", "returns")[n % 2], channel=("sms", "chat")[n % 3 == 0]) for n in range(30)]
    names = {
        by: [one["slice"] for one in backtest(history, *ASKED, "--by", by).json()["slices"]]
        for by in ("topic", "channel", "topic,channel", "agent_version", "none")
    }
    assert sorted(names["topic"]) == ["refunds", "returns"]
    assert sorted(names["channel"]) == ["chat", "sms"]
    assert sorted(names["topic,channel"]) == ["refunds×chat", "refunds×sms", "returns×chat", "returns×sms"]
    assert names["agent_version"] == ["unversioned"]
    assert names["none"] == ["all"]


def test_one_good_slice_is_enough_for_exit_code_0(backtest: Run) -> None:
    history = [record(n, topic="good") for n in range(75)] + [record(n, BAD, topic="poor") for n in range(75, 99)]
    ended = backtest(history, *ASKED, "--by", "topic")
    found = {one["slice"]: one["certified"] for one in ended.json()["slices"]}
    assert (ended.code, found, ended.json()["overall"]["certified"]) == (0, {"good": True, "poor": False}, False)
    assert ended.json()["coverage_by_slices"] == pytest.approx(75 / 99)


def learnable(count: int) -> list[Any]:
    """Drafts of which a tenth promises what no tool did, and those were refused."""
    dice = random.Random(7)
    history = []
    for number in range(count):
        is_bad = dice.random() < 0.1
        text = "I have refunded you £64 just now." if is_bad else "It comes on Monday."
        history.append(record(number, BAD if is_bad else GOOD, confidence=None, draft={"text": text}))
    return history


def test_score_is_learned_on_the_earlier_part_alone(backtest: Run) -> None:
    history = learnable(400)
    answer = backtest(history, *FIVE, "--by", "none").json()
    assert (answer["score"], answer["set_aside"], answer["overall"]["labels"]) == ("learned", 120, 280)
    assert answer["overall"]["certified"]
    assert 0.8 < answer["overall"]["coverage"] < 0.97
    turned = history[:120] + [{**one, "verdict": BAD if one["verdict"] == GOOD else GOOD} for one in history[120:]]
    other = backtest(turned, *FIVE, "--by", "none").json()
    assert other["weights"] == answer["weights"]
    assert not other["overall"]["certified"]


def test_later_part_is_later_in_time_whatever_the_order_of_the_file(backtest: Run) -> None:
    timed = [{**one, "at": f"2026-03-{1 + n // 24:02}T{n % 24:02}:00:00Z"} for n, one in enumerate(learnable(300))]
    mixed = random.Random(1).sample(timed, len(timed))
    assert backtest(mixed, *FIVE).out == backtest(timed, *FIVE).out


def test_drafts_of_one_conversation_are_one_label(backtest: Run) -> None:
    history = [{**record(n), "conversation_id": f"c-{n // 2}"} for n in range(148)]
    overall = backtest(history, *ASKED).json()["overall"]
    assert (overall["labels"], overall["drafts"], overall["labels_needed"]) == (74, 148, 1)


def test_edits_count_by_their_severity(backtest: Run) -> None:
    edit = {"action": "edit", "text": "It comes on Tuesday.", "severity": 0.2}
    graded = backtest([record(n, edit if n < 5 else GOOD) for n in range(131)], *ASKED)
    assert (graded.code, graded.json()["overall"]["bad"]) == (0, 5)
    assert backtest(counted(131, 5), *ASKED).code == 2


def test_severe_replies_are_asked_for_apart(backtest: Run) -> None:
    ended = backtest(counted(75, 0), *ASKED, "--severe-risk", "0.02")
    assert (ended.code, ended.json()["overall"]["labels_needed"]) == (2, 189 - 75)
    ended = backtest(
        [record(n, {"action": "reject", "reasons": ["policy"]} if n == 0 else GOOD) for n in range(200)],
        *ASKED,
        "--severe-risk",
        "0.02",
    )
    assert ended.code == 2


def test_packed_file_gives_the_same(backtest: Run, tmp_path: Path, understudy_here: Run) -> None:
    plain = backtest(counted(80, 0), *ASKED)
    (tmp_path / "h.jsonl.gz").write_bytes(gzip.compress((tmp_path / "history.jsonl").read_bytes()))
    assert understudy_here("backtest", "h.jsonl.gz", *ASKED, "--json", cwd=tmp_path).out == plain.out


def test_standard_input_gives_the_same(backtest: Run, tmp_path: Path, understudy: Run) -> None:
    plain = backtest(counted(80, 0), *ASKED)
    text = (tmp_path / "history.jsonl").read_text()
    ended = understudy("backtest", "-", *ASKED, "--json", cwd=tmp_path, stdin=text)
    assert (ended.code, ended.out, ended.err) == (0, plain.out, "")


def test_forms_of_others_are_recognised(backtest: Run) -> None:
    user, bot = {"role": "user", "content": "When?"}, {"role": "assistant", "content": "On Monday."}
    chat = [{"messages": [user, bot], "rating": "up", "confidence": 0.9} for _ in range(80)]
    traces = [
        {
            "id": str(n),
            "timestamp": "2026-04-03T08:15:30Z",
            "input": [user],
            "output": "On Monday.",
            "metadata": {"confidence": 0.9},
            "scores": [{"name": "thumbs", "value": 1}],
        }
        for n in range(80)
    ]
    said = [
        {"message_type": 0, "content": "When?", "created_at": 1},
        {
            "message_type": 1,
            "content": "On Monday.",
            "created_at": 2,
            "sender": {"type": "agent_bot"},
            "content_attributes": {"confidence": 0.9},
        },
    ]
    rated = [{"id": n, "rating": 5, "conversation_id": n} for n in range(80)] + [
        {"id": n, "messages": said} for n in range(80)
    ]
    table = "certainty,stars\n" + "0.9,5\n" * 80
    for history in (chat, traces, rated):
        assert backtest(history, *ASKED).json()["overall"]["labels"] == 80
    ended = backtest(table, *ASKED, "--columns", "confidence=certainty,verdict=stars", "--good-from", "4", name="h.csv")
    assert (ended.code, ended.json()["overall"]["labels"]) == (0, 80)


def test_report_begins_with_the_answer_and_links_the_plot(backtest: Run, tmp_path: Path) -> None:
    history = [record(n, topic=["refunds", "a|b *c*"][n % 5 == 0]) for n in range(100)]
    ended = backtest(history, *ASKED, "--by", "topic", "--report", "r.md", "--plot", "p.svg", as_json=False)
    report, plot = (tmp_path / "r.md").read_text(), (tmp_path / "p.svg").read_text()
    assert ended.code == 0
    assert report.splitlines()[2].startswith("80 % of the replies could have gone out alone")
    assert "](p.svg)" in report
    assert r"a\|b \*c\*" in report
    assert "conversations (" in report
    assert plot.startswith("<svg")
    assert "80 % of the replies could have gone out alone" in ended.out


def test_png_is_drawn(backtest: Run, tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    assert backtest(counted(80, 0), *ASKED, "--plot", "p.png").code == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "line 3"),
        ("[]", "line 3"),
        ('{"id": "x", "messages": [], "draft": {"text": "x"}}', "messages"),
        (json.dumps(record(9, {"action": "like"})), "verdict.action"),
        (json.dumps(record(9, {"action": "edit", "severity": 3})), "verdict.severity"),
        (json.dumps(record(9, confidence=7)), "draft.confidence"),
    ],
)
def test_wrong_line_is_named_with_its_field(backtest: Run, line: str, named: str) -> None:
    history = "".join(json.dumps(one) + "\n" for one in counted(2, 0)) + line + "\n"
    ended = backtest(history, *ASKED)
    assert (ended.code, ended.out) == (3, "")
    assert "history.jsonl, line 3" in ended.err
    assert named in ended.err
    assert len(ended.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--risk", "1.5"), "--risk"),
        (("--risk", "0"), "--risk"),
        (("--risk", "0.05", "--confidence", "1"), "--confidence"),
        (("--risk", "0.05", "--threshold", "2"), "--threshold"),
        (("--risk", "0.05", "--severe-risk", "2"), "--severe-risk"),
        (("--risk", "0.05", "--sensitivity", "0"), "--sensitivity"),
        (("--risk", "0.05", "--by", "mood"), "--by 'mood'"),
        (("--risk", "0.05", "--format", "xml"), "--format 'xml'"),
        (("--risk", "0.05", "--score", "best"), "--score 'best'"),
        (("--risk", "0.05", "--columns", "x=y"), "--columns"),
        (("--risk", "0.05", "--plot", "p.gif"), "p.gif"),
        (("--risk", "0.05", "--report", "gone/r.md"), "gone/r.md"),
        ((), "--risk"),
        (("--risk", "nan"), "--risk"),
    ],
)
def test_wrong_option_is_named(backtest: Run, words: tuple[str, ...], named: str) -> None:
    ended = backtest(counted(80, 0), *words)
    assert ended.code == 3
    assert named in ended.err


def test_every_field_of_the_answer_is_in_the_reference(backtest: Run) -> None:
    answer = backtest(counted(80, 0), *ASKED, "--by", "topic,channel,agent_version").json()
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page)) | set(re.findall(r'"(\w+)":', page))
    assert (set(answer) | set(answer["overall"]) | set(answer["slices"][0])) <= named


def test_how_to_names_every_column_of_a_table() -> None:
    page = (DOCS / "how-to" / "backtest-your-history.md").read_text(encoding="utf-8")
    assert ", ".join(f"`{field}`" for field in FIELDS) in page


@pytest.mark.parametrize("history", ["", "\n\n", '{"foo": 1}\n', "no history at all\n"])
def test_file_that_is_no_history_is_named(backtest: Run, history: str) -> None:
    ended = backtest(history, *ASKED)
    assert ended.code == 3
    assert "history.jsonl" in ended.err


def test_missing_file_is_named(tmp_path: Path, understudy_here: Run) -> None:
    ended = understudy_here("backtest", "gone.jsonl", *ASKED, cwd=tmp_path)
    assert ended.code == 3
    assert "no file gone.jsonl" in ended.err


def test_history_without_verdicts_is_inconclusive(backtest: Run) -> None:
    ended = backtest([record(n, None) for n in range(5)], *ASKED)
    answer = ended.json()
    assert (ended.code, answer["records"], answer["judged"], answer["overall"]["labels_needed"]) == (2, 5, 0, 75)
    assert "No record has a verdict" in answer["notes"][0]
