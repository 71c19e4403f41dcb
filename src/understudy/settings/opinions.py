"""The sections `[opinions.NAME]`: who else is asked about a draft, within which deadline and budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from understudy.settings.section import Section


class JudgeOpinion(Section):
    """A language model behind an OpenAI-compatible endpoint that says whether the draft is good."""

    kind: Literal["judge"]
    base_url: str = Field(description="up to and including /v1")
    model: str = Field(description="the model's name")
    api_key: SecretStr | None = Field(None, description="better set by environment or *_FILE")
    prompt: str | None = Field(None, description="what it is told to look at; it must answer pass, fail or unknown")
    headers: dict[str, str] = Field({}, description="sent with each request")
    deadline_s: float = Field(5.0, gt=0, description="later than this is no answer")
    per_hour_max: int = Field(1_000, ge=1, description="questions per hour and process; beyond it there is no answer")
    on_failure: Literal["hold", "ignore"] = Field("hold", description="what no answer means for the draft")


class EmbeddingsOpinion(Section):
    """Sentence embeddings of an OpenAI-compatible endpoint: how near the draft is to its nearest passage."""

    kind: Literal["embeddings"]
    base_url: str = Field(description="up to and including /v1")
    model: str = Field(description="the model's name")
    api_key: SecretStr | None = Field(None, description="better set by environment or *_FILE")
    headers: dict[str, str] = Field({}, description="sent with each request")
    score_min: float = Field(0.5, ge=0, le=1, description="lowest cosine that is no finding")
    deadline_s: float = Field(5.0, gt=0, description="later than this is no answer")
    per_hour_max: int = Field(1_000, ge=1, description="questions per hour and process; beyond it there is no answer")
    on_failure: Literal["hold", "ignore"] = Field("hold", description="what no answer means for the draft")


class OnnxOpinion(Section):
    """An entailment or grounding model in an ONNX file, run in this process; needs understudy[onnx]."""

    kind: Literal["onnx"]
    folder: Path = Field(description="holds model.onnx, tokenizer.json and, where its outputs have names, config.json")
    label: str = Field(
        "entailment", description="the output that means carried: its name in config.json, or its number"
    )
    per: Literal["sentence", "draft"] = Field(
        "sentence", description="what is held against the passages; the worst sentence counts"
    )
    threads: int = Field(1, ge=1, le=64, description="cores that one look may take")
    score_min: float = Field(0.5, ge=0, le=1, description="lowest probability that is no finding")
    deadline_s: float = Field(5.0, gt=0, description="later than this is no answer")
    per_hour_max: int = Field(1_000, ge=1, description="drafts per hour and process; beyond it there is no answer")
    on_failure: Literal["hold", "ignore"] = Field("hold", description="what no answer means for the draft")


OpinionSettings = Annotated[JudgeOpinion | EmbeddingsOpinion | OnnxOpinion, Field(discriminator="kind")]
