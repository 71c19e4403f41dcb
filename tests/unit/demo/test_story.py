"""The demo's business and story: complete, consistent, made up, and answerable where they say so."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from importlib.resources import as_file, files
from itertools import pairwise

import pytest

from understudy.adapters.agents.documents import Document, read_documents
from understudy.adapters.agents.faq import FaqAgent
from understudy.assessment.cards import mask_cards
from understudy.assessment.smuggling import gives_orders
from understudy.demo.story import KINDS, TOPICS, Line, load_story, parse_story

BUSINESS = files("understudy.demo").joinpath("business")
STORY = load_story()
ROW = {"conversation": "c1", "name": "A", "after_s": 0.1, "text": "hi", "kind": "easy", "note": "n"}


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    with as_file(BUSINESS.joinpath("knowledge")) as folder:
        return read_documents(folder)


@pytest.fixture(scope="module")
def agent() -> FaqAgent:
    with as_file(BUSINESS.joinpath("knowledge")) as folder:
        return FaqAgent(name="faq", path=folder)


def text_of(document: Document) -> str:
    return "\n".join([document.title, *(f"{s.heading} {' '.join(s.units)}" for s in document.sections)])


def everything() -> str:
    pages = [page.read_text(encoding="utf-8") for page in BUSINESS.joinpath("knowledge").iterdir()]
    return "\n".join([*pages, *(f"{line.text} {line.note}" for line in STORY)])


def questions() -> list[tuple[Line, str]]:
    """Each line that something is expected of, with the whole burst it ends."""
    found, burst = [], list[str]()
    for line in STORY:
        burst = [*burst, line.text] if line.kind == "burst" else []
        if line.kind != "burst" or line.expect_topic:
            found.append((line, mask_cards("\n".join(burst) or line.text)[0]))
            burst = []
    return found


EXPECTED = [(line, text) for line, text in questions() if line.expect_topic]


@pytest.mark.parametrize(
    ("kind", "least"),
    {
        "easy": 25, "unanswerable": 8, "wants_person": 3, "angry": 2, "hostile": 3, "burst": 8, "card": 1,
        "followup": 3, "sensitive": 2,
    }.items(),
)  # fmt: skip
def test_the_story_has_enough_of_every_kind(kind: str, least: int) -> None:
    assert kind in KINDS
    assert sum(line.kind == kind for line in STORY) >= least


def test_the_story_is_short_enough_to_watch() -> None:
    assert 55 <= len(STORY) <= 75
    assert sum(line.after_s for line in STORY) <= 60


@pytest.mark.parametrize(("line", "text"), EXPECTED, ids=[line.text[:30] for line, _ in EXPECTED])
def test_word_overlap_leads_to_the_expected_topic(line: Line, text: str, documents: list[Document]) -> None:
    words = {document.id: set(stems(text_of(document))) for document in documents}
    held_by = Counter(word for held in words.values() for word in held)

    def overlap(document: Document) -> float:
        in_title = set(stems(document.title))
        shared = set(stems(text)) & words[document.id]
        return sum((1 + (word in in_title)) * math.log(1 + len(documents) / held_by[word]) for word in shared)

    assert max(documents, key=overlap).topic == line.expect_topic


@pytest.mark.parametrize(("line", "text"), EXPECTED, ids=[line.text[:30] for line, _ in EXPECTED])
def test_the_built_in_agent_quotes_the_expected_topic(line: Line, text: str, agent: FaqAgent) -> None:
    assert agent.answer(text).topic == line.expect_topic


def test_the_built_in_agent_does_not_know_what_no_document_covers(agent: FaqAgent) -> None:
    unknown = [agent.answer(line.text).does_not_know for line in STORY if line.kind == "unanswerable"]
    assert sum(unknown) >= len(unknown) - 1


def test_only_what_should_expect_a_topic_does() -> None:
    for line in STORY:
        if line.kind in ("easy", "followup", "card"):
            assert line.expect_topic, line.text
        if line.kind in ("unanswerable", "angry", "wants_person", "sensitive"):
            assert line.expect_topic is None, line.text


def test_bursts_come_close_together_except_the_one_that_supersedes() -> None:
    late = 0
    for before, line in pairwise(STORY):
        if line.kind == "burst" and before.conversation == line.conversation:
            late += line.wait_for == "held"
            assert line.after_s <= 0.3 or line.wait_for == "held", line.text
    assert late == 1


def test_the_card_number_is_a_valid_one_and_the_only_one() -> None:
    cards = [line for line in STORY if mask_cards(line.text)[1]]
    assert [line.kind for line in cards] == ["card"]
    number = re.sub(r"\D", "", cards[0].text)
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(number))]
    assert sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def test_one_document_carries_planted_orders_and_one_question_meets_it(
    documents: list[Document], agent: FaqAgent
) -> None:
    assert [d.id for d in documents if gives_orders(text_of(d))] == ["parcel-lockers"]
    meeting = [
        line.kind
        for line, text in questions()
        if any(gives_orders(source.text) for source in agent.answer(text).sources)
    ]
    assert meeting == ["hostile"]


def test_documents_are_short_titled_and_on_a_known_topic(documents: list[Document]) -> None:
    assert 30 <= len(documents) <= 50
    assert {document.topic for document in documents} == set(TOPICS)
    for document in documents:
        assert document.url == f"https://fernway.example/help/{document.id}"
        assert 50 <= len(text_of(document).split()) <= 200, document.id


def test_no_real_domain_or_telephone_number_is_named() -> None:
    text = everything()
    domains = set(re.findall(r"(?:https?://|@)([\w.-]+\w)", text)) | set(
        re.findall(r"\b[\w-]+\.(?:com|org|net|uk|de|io)\b", text)
    )
    assert domains == {"fernway.example", "swiftlark-lockers.example"}
    numbers = {re.sub(r"\s", "", found) for found in re.findall(r"\b0\d{2,4}[ \d]{6,9}\d\b", text)}
    assert numbers == {"08081570142", "01632960101", "01632960102", "01632960103"}  # Ofcom's ranges for fiction


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"after_s": 9}, "after_s must be in"),
        ({"kind": "rude"}, "kind"),
        ({"text": " "}, "must not be empty"),
        ({"expect_topic": "boats"}, "expect_topic must be one of"),
        ({"wait_for": "answered"}, "cannot wait for"),
        ({"extra": 1}, r"unknown fields \['extra'\]"),
        ({"note": None}, "note"),
    ],
)
def test_a_story_that_does_not_fit_names_its_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)story line 2: .*" + message):
        parse_story("\n".join([json.dumps(ROW), json.dumps({**ROW, "conversation": "c2", **change})]))


def test_a_conversation_keeps_its_customer() -> None:
    with pytest.raises(ValueError, match="conversation c1 is A's, got B"):
        parse_story("\n".join([json.dumps(ROW), json.dumps({**ROW, "name": "B"})]))


def stems(text: str) -> list[str]:
    common = "the you can how are for and what does have has when where which with get put this that mean need our not".split()
    return [word[:5] for word in re.findall(r"[^\W_]+", text.lower()) if len(word) > 2 and word not in common]
