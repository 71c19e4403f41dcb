"""What says which topic a message is about: a model learned from tags, as a record, and its guesses; neither decides."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.records.rulebook import UNKNOWN_TOPIC


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicGuess:
    """What a topic model made of a message: the likeliest topic, how certain it is in [0, 1], and from which certainty
    on its word counts for this topic (above 1: never)."""

    topic: str
    certainty: float
    threshold: float
    model: str

    @property
    def is_sure(self) -> bool:
        """Whether the guess counts; if not, the topic is unknown."""
        return self.topic != UNKNOWN_TOPIC and self.certainty >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicModel:
    """A linear model over hashed words and parts of words (`assessment/topic_model.py`), as plain text and numbers.

    `features` are the hashes it knows, ascending, `idf` what each weighs, `weights` a row of signed bytes for each with
    a column for each topic, to be multiplied by the row's `scales`; all four are arrays in base 64, little-endian
    (int32, float32, int8, float32). `unseen_idf` is what a hash that it does not know weighs. `biases` and `thresholds`
    stand in the order of `topics`. `trained_until` is the position of the last turn whose tag it was learned from or
    chosen by; `tags` says from how many it was learned. Words themselves it does not hold.
    """

    id: str
    topics: tuple[str, ...]
    features: str
    idf: str
    weights: str
    scales: str
    unseen_idf: float
    biases: tuple[float, ...]
    thresholds: tuple[float, ...]
    tags: int
    trained_until: int = 0

    def __post_init__(self) -> None:
        if not self.topics or not len(self.topics) == len(self.biases) == len(self.thresholds):
            raise ValueError(f"TopicModel {self.id!r} needs a bias and a threshold for each of its topics")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedTurn:
    """A turn whose topic somebody named: its place among the turns, the topic, and its evidence as stored."""

    position: int
    topic: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTerms:
    """When a topic model is trained and when it is better.

    At least `tags_min` tags, and `topic_tags_min` of a topic before it is learned. Of its sure answers at most
    `wrong_max`, in (0, 1), may be wrong, where `unknown_share` of all messages are about nothing it knows. The latest
    `unseen_share` of the tags is kept for the trial; there it must be right more often than the one before, by more
    than chance at `level`.
    """

    tags_min: int = 200
    topic_tags_min: int = 10
    wrong_max: float = 0.02
    unknown_share: float = 0.1
    unseen_share: float = 0.3
    level: float = 0.05
