"""A second opinion by an entailment or grounding model in an ONNX file, run in this process: pairs of texts in, a score out.

A folder holds `model.onnx` and `tokenizer.json`, as exporters write them, and `config.json` where the outputs have names.
Each sentence of the draft (or the whole draft) is held against each passage and tool result; what carries it best counts
for it, and the sentence carried worst counts for the draft. It knows no meaning beyond what the model was taught.
Needs the extra `onnx`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import onnxruntime
import tokenizers

from understudy.errors import AgentAnsweredNonsense, ConfigurationError
from understudy.ports.opinion import OpinionRequest, Said

MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"
CONFIG_FILE: Final = "config.json"
TOKENS_MAX: Final = 512
"""Of a pair; a text that is held against is cut into pieces that leave room for the sentence."""
PIECE_CHARS: Final = 1_200
PAIRS_MAX: Final = 400
"""So many pairs are looked at for one draft; one that needs more has no opinion, because a part of it would have none."""
BATCH: Final = 8
WORDS_MIN: Final = 4
"""A shorter sentence ("Hello!") states nothing, and a question neither."""
_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w+")

Per = Literal["sentence", "draft"]


class OnnxOpinion:
    """Keeps `ports.opinion.SecondOpinion`. `folder` holds the model; `label` names the output that means "carried", by its
    name in `config.json` or by its number; a model with one output gives its log-odds. One draft is looked at at a time."""

    def __init__(self, *, name: str, folder: Path, label: str = "entailment", per: Per = "sentence", threads: int = 1):
        self.name = name
        self._per = per
        self._folder = folder
        self._tokenizer = _tokenizer(name, folder)
        self._session = _session(name, folder, threads)
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._label = _label_number(name, folder, label)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"opinion-{name}")

    async def ask(self, request: OpinionRequest) -> Said:
        """Score the draft in [0, 1]; raises `AgentAnsweredNonsense` where there is nothing to hold it against, it has too
        many sentences, or the model gives no probabilities. Cancelling ends the work at once."""
        premises, claims = self._texts(request)
        running = onnxruntime.RunOptions()
        try:
            score = await asyncio.get_running_loop().run_in_executor(
                self._worker, self._score, premises, claims, running
            )
        except asyncio.CancelledError:
            running.terminate = True
            raise
        return Said(score=score)

    async def check(self) -> str:
        """Run the model once."""
        scores = await asyncio.get_running_loop().run_in_executor(
            self._worker, self._carried, [("We open at nine.", "We open at nine.")], onnxruntime.RunOptions()
        )
        return f"{self._folder.name} runs here and gives {scores[0]:.2f} to a sentence held against itself"

    async def close(self) -> None:
        """Begin nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _texts(self, request: OpinionRequest) -> tuple[list[str], list[str]]:
        given = [source.text for source in request.draft.sources]
        given += [call.result for call in request.draft.tool_calls if call.result]
        given += [message.content for message in request.messages if message.role == "tool" and message.content]
        premises = [piece for text in given for piece in _pieces(text)]
        if not premises:
            raise self._nonsense("the draft has neither passages nor tool results to be held against")
        claims = [request.draft.text] if self._per == "draft" else list(_statements(request.draft.text))
        if len(premises) * len(claims) > PAIRS_MAX:
            raise self._nonsense(
                f"{len(claims)} sentences against {len(premises)} pieces of text are more than {PAIRS_MAX} pairs"
            )
        return premises, claims

    def _score(self, premises: Sequence[str], claims: Sequence[str], running: Any) -> float:
        """In the worker's thread: the worst carried sentence, each by what carries it best; 1 where none states anything."""
        worst = 1.0
        for claim in claims:
            worst = min(worst, max(self._carried([(premise, claim) for premise in premises], running)))
        return worst

    def _carried(self, pairs: Sequence[tuple[str, str]], running: Any) -> list[float]:
        scores: list[float] = []
        for start in range(0, len(pairs), BATCH):
            encoded = self._tokenizer.encode_batch(list(pairs[start : start + BATCH]))
            columns = {
                "input_ids": [one.ids for one in encoded],
                "attention_mask": [one.attention_mask for one in encoded],
                "token_type_ids": [one.type_ids for one in encoded],
            }
            feed = {name: np.asarray(columns[name], dtype=np.int64) for name in self._inputs}
            try:
                (logits, *_) = self._session.run(None, feed, running)
            except Exception as error:  # the runtime has no error class of its own
                raise self._nonsense(f"the model stopped with {type(error).__name__}") from error
            scores += self._probabilities(np.asarray(logits), len(encoded))
        return scores

    def _probabilities(self, logits: Any, count: int) -> list[float]:
        if logits.ndim != 2 or logits.shape[0] != count or not np.isfinite(logits).all():
            raise self._nonsense(f"the model gave numbers of shape {logits.shape} where one row a pair was expected")
        if logits.shape[1] == 1:
            return [float(value) for value in 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -60.0, 60.0)))]
        if self._label >= logits.shape[1]:
            raise self._nonsense(f"the model has {logits.shape[1]} outputs, and label is number {self._label}")
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return [float(value) for value in (odds / odds.sum(axis=1, keepdims=True))[:, self._label]]

    def _nonsense(self, what: str) -> AgentAnsweredNonsense:
        return AgentAnsweredNonsense(f"opinion {self.name!r}: {what}")


def _statements(text: str) -> Iterator[str]:
    """The sentences that may state something."""
    for sentence in _ENDS.split(text):
        if len(_WORD.findall(sentence)) >= WORDS_MIN and not sentence.rstrip().endswith("?"):
            yield sentence.strip()


def _pieces(text: str) -> Iterator[str]:
    """A text cut where sentences end into pieces that a model can read at once."""
    held = ""
    for sentence in _ENDS.split(text):
        if held and len(held) + len(sentence) > PIECE_CHARS:
            yield held
            held = ""
        held = f"{held} {sentence}".strip()
        while len(held) > PIECE_CHARS:
            yield held[:PIECE_CHARS]
            held = held[PIECE_CHARS:]
    if held:
        yield held


def _tokenizer(name: str, folder: Path) -> tokenizers.Tokenizer:
    written = _file(name, folder, TOKENIZER_FILE)
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(written))
        tokenizer.enable_truncation(TOKENS_MAX, strategy="only_first")
        tokenizer.enable_padding()
    except Exception as error:  # the library has no error class of its own
        raise ConfigurationError(f"opinion {name!r}: {written} is no tokenizer: {error}") from error
    return tokenizer


def _session(name: str, folder: Path, threads: int) -> Any:
    written = _file(name, folder, MODEL_FILE)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; the runtime's own words would quote paths into the log
    try:
        session = onnxruntime.InferenceSession(str(written), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has no error class of its own
        raise ConfigurationError(f"opinion {name!r}: {written} is no model that runs here: {error}") from error
    known = {"input_ids", "attention_mask", "token_type_ids"}
    unknown = [given.name for given in session.get_inputs() if given.name not in known]
    if unknown:
        raise ConfigurationError(f"opinion {name!r}: {written} wants the inputs {unknown}; known are {sorted(known)}")
    return session


def _label_number(name: str, folder: Path, label: str) -> int:
    if label.isdecimal():
        return int(label)
    written = folder / CONFIG_FILE
    try:
        given = json.loads(written.read_text(encoding="utf-8"))
        labels = {str(text).lower(): int(number) for number, text in given.get("id2label", {}).items()}
    except FileNotFoundError:
        labels = {}
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"opinion {name!r}: {written} cannot be read: {error}") from error
    if len(labels) == 1:
        return 0  # one output is its own label
    if label.lower() not in labels:
        known = ", ".join(sorted(labels)) or f"none: {written} names none"
        raise ConfigurationError(
            f"opinion {name!r}: there is no label {label!r} ({known}); set label to a name or to the output's number"
        )
    return labels[label.lower()]


def _file(name: str, folder: Path, file: str) -> Path:
    path = folder / file
    if not path.is_file():
        raise ConfigurationError(
            f"opinion {name!r}: there is no {path}; the folder must hold {MODEL_FILE} and {TOKENIZER_FILE}"
        )
    return path
