"""An opinion by a real ONNX model, a tiny one made here: of the words of a sentence, how many stand in what it is held against."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from understudy.adapters.agents.onnx_model import PAIRS_MAX, OnnxOpinion
from understudy.errors import AgentAnsweredNonsense, ConfigurationError
from understudy.ports.clock import Clock
from understudy.ports.opinion import OpinionRequest, Said
from understudy.records.evidence import Draft, Opinion, Passage, ToolCall
from understudy.settings.model import Settings
from understudy.turn.opinions import Asked, SecondOpinions

WORDS = "orders arrive within two five days we open at nine on monday by post refund is sent back to your card".split()
SOURCES = (
    Passage(id="p1", text="Orders arrive within five days by post."),
    Passage(id="p2", text="We open at nine on Monday."),
)
CARRIED = "Orders arrive within five days. We open at nine!"
NOT_CARRIED = "Orders arrive within five days. Refund is sent back to your card."


def write_tokenizer(folder: Path) -> None:
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.normalizer = None
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def write_model(
    folder: Path, *, columns: int = 2, broken: bool = False, inputs: tuple[str, ...] = ("input_ids", "token_type_ids")
) -> None:
    """Of the second text's tokens the share that is in the first, as log-odds: for, then against, then nothing."""
    number = TensorProto.INT64
    names = {"axis1": [1], "axis2": [2], "unknown": [1]}
    constants = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in names.items()]
    constants += [
        numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("half", 0.7), ("steep", 30.0))
    ]
    constants.append(numpy_helper.from_array(np.array([[1.0, -1.0, -9.0][:columns]], np.float32), "ways"))
    if broken:
        constants.append(numpy_helper.from_array(np.array(np.nan, np.float32), "nan"))
    node = helper.make_node
    nodes = [
        node("Cast", ["token_type_ids"], ["second"], to=TensorProto.FLOAT),
        node("Cast", ["token_type_ids"], ["is_second"], to=TensorProto.BOOL),
        node("Not", ["is_second"], ["is_first"]),
        node("Unsqueeze", ["input_ids", "axis2"], ["of_second"]),
        node("Unsqueeze", ["input_ids", "axis1"], ["of_first"]),
        node("Equal", ["of_second", "of_first"], ["same"]),
        node("Unsqueeze", ["is_first", "axis1"], ["first_columns"]),
        node("And", ["same", "first_columns"], ["met"]),
        node("Cast", ["met"], ["met_number"], to=TensorProto.FLOAT),
        node("ReduceMax", ["met_number", "axis2"], ["found"], keepdims=0),
        node("Mul", ["found", "second"], ["found_second"]),
        node("ReduceSum", ["found_second", "axis1"], ["hits"], keepdims=1),
        node("ReduceSum", ["second", "axis1"], ["length"], keepdims=1),
        node("Div", ["hits", "length"], ["share"]),
        node("Sub", ["share", "half"], ["above"]),
        node("Mul", ["above", "steep" if not broken else "nan"], ["odds"]),
        node("Mul", ["odds", "ways"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "shared words",
        [helper.make_tensor_value_info(name, number, ["pairs", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["pairs", columns])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path)
    write_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "ENTAILMENT", "1": "contradiction"}}))
    return tmp_path


def request(text: str, **given: Any) -> OpinionRequest:
    draft = Draft(
        text=text.lower(), **{"sources": tuple(Passage(id=s.id, text=s.text.lower()) for s in SOURCES)} | given
    )
    return OpinionRequest(
        turn_id="t-1", conversation_id="c-1", channel="webchat", messages=(), draft=draft, deadline_s=5.0
    )


def ask(opinion: OnnxOpinion, asked: OpinionRequest) -> Said:
    async def use() -> Said:
        try:
            return await opinion.ask(asked)
        finally:
            await opinion.close()

    return asyncio.run(use())


def test_score_is_that_of_the_sentence_carried_worst_each_by_the_passage_that_carries_it_best(folder: Path) -> None:
    good = ask(OnnxOpinion(name="nli", folder=folder), request(CARRIED))
    bad = ask(OnnxOpinion(name="nli", folder=folder), request(NOT_CARRIED))
    assert good.word is None
    assert good.score is not None
    assert bad.score is not None
    assert (round(good.score, 3), round(bad.score, 3)) == (1.0, 0.0)


def test_whole_draft_can_be_held_against_the_passages(folder: Path) -> None:
    as_one = ask(
        OnnxOpinion(name="nli", folder=folder, per="draft"), request("Orders arrive within five days. Refund.")
    )
    assert as_one.score is not None
    assert 0.5 < as_one.score < 1.0


def test_tool_results_carry_too(folder: Path) -> None:
    call = ToolCall(id="1", name="look_up", result="refund is sent back to your card")
    assert (ask(OnnxOpinion(name="nli", folder=folder), request(NOT_CARRIED, tool_calls=(call,))).score or 0) > 0.9


def test_questions_and_greetings_state_nothing(folder: Path) -> None:
    assert (
        ask(OnnxOpinion(name="nli", folder=folder), request("Hello there! Shall we send your refund back?")).score
        == 1.0
    )


@pytest.mark.parametrize("label", ["entailment", "0"])
def test_label_is_a_name_or_a_number(folder: Path, label: str) -> None:
    assert (ask(OnnxOpinion(name="nli", folder=folder, label=label), request(CARRIED)).score or 0) > 0.9


def test_other_label_gives_the_other_probability(folder: Path) -> None:
    asked = request("We open at nine.", sources=(Passage(id="p", text="we open at nine."),))
    assert (ask(OnnxOpinion(name="nli", folder=folder), asked).score or 0) > 0.9
    assert (ask(OnnxOpinion(name="nli", folder=folder, label="1"), asked).score or 0) < 0.1


def test_model_with_one_output_gives_log_odds(folder: Path) -> None:
    write_model(folder, columns=1)
    assert (ask(OnnxOpinion(name="nli", folder=folder, label="0"), request(CARRIED)).score or 0) > 0.9


def test_text_longer_than_the_model_reads_is_read_in_pieces(folder: Path) -> None:
    filling, end = "we open on monday by post. " * 200, "refund is sent back to your card."
    scores = [
        ask(OnnxOpinion(name="nli", folder=folder), request(end, sources=(Passage(id="p", text=text),))).score or 0
        for text in (filling, filling + end)
    ]
    assert scores[0] < 0.1
    assert scores[1] > 0.9


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request("We open at nine on Monday.", sources=()), "neither passages nor tool results"),
        (request("We open at nine. " * (PAIRS_MAX + 1)), "pairs"),
    ],
)
def test_what_cannot_be_looked_at_as_a_whole_has_no_opinion(folder: Path, asked: OpinionRequest, why: str) -> None:
    with pytest.raises(AgentAnsweredNonsense, match=why):
        ask(OnnxOpinion(name="nli", folder=folder), asked)


def test_model_that_gives_no_numbers_is_nonsense(folder: Path) -> None:
    write_model(folder, broken=True)
    with pytest.raises(AgentAnsweredNonsense, match="shape"):
        ask(OnnxOpinion(name="nli", folder=folder), request(CARRIED))


def test_label_the_model_does_not_have_is_nonsense(folder: Path) -> None:
    with pytest.raises(AgentAnsweredNonsense, match="2 outputs"):
        ask(OnnxOpinion(name="nli", folder=folder, label="5"), request(CARRIED))


def test_check_runs_the_model(folder: Path) -> None:
    assert "runs here" in asyncio.run(OnnxOpinion(name="nli", folder=folder).check())


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ConfigurationError, match=missing):
        OnnxOpinion(name="nli", folder=folder)


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json", "config.json"])
def test_broken_file_is_named(folder: Path, broken: str) -> None:
    (folder / broken).write_text("no such thing")
    with pytest.raises(ConfigurationError, match=broken):
        OnnxOpinion(name="nli", folder=folder)


def test_unknown_label_names_those_there_are(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="contradiction, entailment"):
        OnnxOpinion(name="nli", folder=folder, label="neutral")
    (folder / "config.json").unlink()
    with pytest.raises(ConfigurationError, match="names none"):
        OnnxOpinion(name="nli", folder=folder)


def test_unknown_input_is_named(folder: Path) -> None:
    write_model(folder, inputs=("input_ids", "token_type_ids", "pixel_values"))
    with pytest.raises(ConfigurationError, match="pixel_values"):
        OnnxOpinion(name="nli", folder=folder)


@pytest.mark.parametrize("deadline_s", [0.000_1, 30.0])
def test_deadline_holds_for_it_as_for_the_others(folder: Path, deadline_s: float) -> None:
    """Whoever waits for the deadline is told at once; the work ends by itself."""
    opinion = OnnxOpinion(name="nli", folder=folder)
    long = request(". ".join(["we open at nine on monday"] * 150))

    async def use() -> tuple[Opinion, ...]:
        try:
            return await SecondOpinions(system_clock(), [Asked(opinion=opinion, deadline_s=deadline_s)]).ask(long)
        finally:
            await opinion.close()

    (given,) = asyncio.run(use())
    assert (given.error, given.score is None) == (("timed_out", True) if deadline_s < 1 else (None, False))


def system_clock() -> Clock:
    from understudy.adapters.system_clock import SystemClock

    return SystemClock()


def test_settings_build_it_from_a_folder_beside_the_configuration(folder: Path) -> None:
    from understudy.connections import build_opinion

    settings = Settings.model_validate({"opinions": {"nli": {"kind": "onnx", "folder": folder.name}}})
    opinion = build_opinion("nli", settings.opinions["nli"], folder.parent)
    assert isinstance(opinion, OnnxOpinion)
