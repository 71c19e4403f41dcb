"""The built-in agent: what it reads, what it quotes, when it says that it does not know."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.adapters.agents import documents
from understudy.adapters.agents.documents import read_documents, split_sentences
from understudy.adapters.agents.faq import (
    CLOSING,
    FAREWELL_REPLY,
    GREETING_REPLY,
    QUOTE_WORDS_MAX,
    THANKS_REPLY,
    UNKNOWN_REPLY,
    FaqAgent,
)
from understudy.errors import ConfigurationError
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import ChatMessage, ContactFacts, Draft

PAGES = {
    "returns.md": """---
title: Returns and exchanges
topic: returns
url: https://shop.example/returns
---
# Returns and exchanges

You can return unworn boots within 30 days of delivery. Print the **return label** from [your orders](https://shop.example/orders).

## How long does a refund take?

A refund reaches your card within 5 working days after the parcel arrives at our warehouse.
""",
    "delivery.md": """# Delivery times and costs

Standard delivery takes three working days and costs 4.90 euros. Express delivery takes one working day.

## Delivery abroad

We deliver to these countries:

- Norway, in six working days
- Switzerland, in five working days
- Iceland, in nine working days
""",
    "gift cards.txt": "Gift cards are valid for two years. They cannot be paid out in cash.\n",
    "staff.md": "---\naudience: internal\n---\n# Refund limits for staff\n\nThe refund override code is 7731.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def agent(folder: Path) -> FaqAgent:
    return FaqAgent(name="faq", path=folder)


def asked(*texts: str) -> DraftRequest:
    return DraftRequest(
        turn_id="t-1",
        conversation_id="c-1",
        channel="webchat",
        topic=None,
        messages=tuple(ChatMessage(role="user" if text[0] != "<" else "assistant", content=text) for text in texts),
        contact=ContactFacts(),
        deadline_s=5.0,
    )


# ------------------------------------------------------------------------------------------------ answering


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("How long does a refund take?", "within 5 working days after the parcel"),
        ("when do i get my refunds", "within 5 working days after the parcel"),
        ("Can I return my boots?", "return unworn boots within 30 days"),
        ("what does delivery cost", "costs 4.90 euros"),
        ("do you deliver to Iceland?", "Iceland, in nine working days"),
        ("are gift cards valid for more than one year", "valid for two years"),
        ("I bought some lovely boots in your shop last Tuesday. My sister hates them. Can I return them?", "30 days"),
        ("how long does delivrey to switzerland take?", "Switzerland, in five working days"),
    ],
)
def test_question_that_the_documents_answer_is_answered_from_them(agent: FaqAgent, question: str, quoted: str) -> None:
    draft = agent.answer(question)
    assert quoted in draft.text
    assert not draft.does_not_know


def test_every_line_of_a_reply_is_a_quotation_or_the_closing_line(agent: FaqAgent) -> None:
    draft = agent.answer("How long does a refund take?")
    lines = [line for line in draft.text.splitlines() if line]
    assert lines.pop() == CLOSING
    assert all(line in draft.sources[0].text for line in lines)


def test_reply_carries_source_url_topic_and_version(agent: FaqAgent) -> None:
    draft = agent.answer("How long does a refund take?")
    source = draft.sources[0]
    assert (source.id, source.title) == ("returns#2", "Returns and exchanges – How long does a refund take?")
    assert (source.url, draft.topic, draft.agent_version) == ("https://shop.example/returns", "returns", agent.version)


def test_reply_shows_no_markdown(agent: FaqAgent) -> None:
    assert "Print the return label from your orders (https://shop.example/orders)." in agent.answer("return boots").text


def test_list_item_is_quoted_with_the_line_that_introduces_it(tmp_path: Path) -> None:
    items = "\n".join(f"- Country number {n} costs {n} euros and takes several working days" for n in range(30))
    (tmp_path / "costs.md").write_text(f"# Delivery costs\n\nDelivery abroad costs as follows:\n\n{items}\n")
    text = FaqAgent(name="faq", path=tmp_path).answer("delivery cost for country 10").text
    assert text.startswith("Delivery abroad costs as follows:\n")
    assert "Country number 10" in text
    assert len(text.split()) <= QUOTE_WORDS_MAX + 30


@pytest.mark.parametrize(
    "question",
    ["Who won the football last night?", "Do you sell helicopters?", "warranty on zips", "", "?!", "  \n", "the"],
)
def test_question_that_the_documents_do_not_answer_is_not_known(agent: FaqAgent, question: str) -> None:
    draft = agent.answer(question)
    assert (draft.text, draft.does_not_know, draft.sources, draft.topic) == (UNKNOWN_REPLY, True, (), None)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Hi", GREETING_REPLY),
        ("hello there!", GREETING_REPLY),
        ("Good morning", GREETING_REPLY),
        ("thank you so much", THANKS_REPLY),
        ("Ok thanks, that's all. Bye", THANKS_REPLY),
        ("goodbye", FAREWELL_REPLY),
    ],
)
def test_small_talk_gets_its_fixed_reply_without_sources(agent: FaqAgent, text: str, reply: str) -> None:
    draft = agent.answer(text)
    assert (draft.text, draft.sources, draft.does_not_know) == (reply, (), False)


def test_greeting_before_a_question_does_not_hide_the_question(agent: FaqAgent) -> None:
    assert "5 working days" in agent.answer("Hi, thanks for the parcel! How long does a refund take?").text


def test_only_the_last_burst_is_answered(agent: FaqAgent) -> None:
    request = asked("Do you deliver to Iceland?", "<Yes.", "Great.", "How long does a refund take?")
    draft = asyncio.run(agent.draft(request))
    assert "5 working days" in draft.text
    assert "Iceland" not in draft.text


def test_internal_document_is_never_quoted(agent: FaqAgent) -> None:
    assert "7731" not in agent.answer("what is the refund override code for staff limits").text


def test_pipeline_log_names_both_steps_with_times(agent: FaqAgent) -> None:
    retrieve, answer = agent.answer("How long does a refund take?").pipeline
    assert (retrieve.name, answer.name, answer.from_steps) == ("retrieve", "answer", ("retrieve",))
    assert retrieve.took_ms is not None
    assert answer.took_ms is not None


@given(st.text(max_size=300))
def test_no_text_of_a_customer_is_query_syntax(text: str) -> None:
    draft = SHARED.answer(text)
    assert draft.text


@pytest.mark.parametrize(
    "text",
    ['"', '" OR text:*', "refund AND (", "NEAR(refund take, 5)", "refund NOT take", "title: refund", "{title} : refund",
     "^refund", "refund*", "refund + take", "-refund", "'; DROP TABLE passages; --", "\x00refund", "re\u200bfund", "ﬁ½²"],
)  # fmt: skip
def test_query_syntax_in_a_customers_text_is_only_words(agent: FaqAgent, text: str) -> None:
    assert isinstance(agent.answer(text), Draft)
    assert "5 working days" in agent.answer("How long does a refund take?").text


def _shared() -> FaqAgent:
    with TemporaryDirectory() as folder:
        for name, text in PAGES.items():
            (Path(folder) / name).write_text(text)
        return FaqAgent(name="faq", path=Path(folder))


SHARED = _shared()


# ------------------------------------------------------------------------------------------------ version


def test_same_documents_have_the_same_version_wherever_they_lie(
    agent: FaqAgent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert agent.version == SHARED.version
    assert agent.version is not None
    assert len(agent.version) == 12


def test_changed_word_or_setting_is_a_new_version(agent: FaqAgent, folder: Path) -> None:
    strict = FaqAgent(name="faq", path=folder, strength_min=0.9)
    (folder / "gift cards.txt").write_text("Gift cards are valid for three years.\n")
    changed = FaqAgent(name="faq", path=folder)
    assert len({agent.version, strict.version, changed.version}) == 3


# ------------------------------------------------------------------------------------------------ reading


def rows(path: Path, *lines: object) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["faq.jsonl", "faq.jsonl.gz"])
def test_json_lines_are_read_packed_or_not(tmp_path: Path, name: str) -> None:
    path = rows(tmp_path / name, {"id": "a", "title": "Refunds", "content": "Five days."}, "", {"text": "Two."})
    assert [(d.id, d.title) for d in read_documents(path)] == [("a", "Refunds"), (f"{name}:3", f"{name}:3")]


def test_title_is_the_first_heading_where_the_front_matter_has_none(folder: Path) -> None:
    titles = {document.id: document.title for document in read_documents(folder)}
    assert titles == {
        "delivery": "Delivery times and costs",
        "gift cards": "gift cards",
        "returns": "Returns and exchanges",
    }


def test_hidden_and_foreign_files_are_passed_over(folder: Path) -> None:
    (folder / ".secret.md").write_text("# x\n\ny\n")
    (folder / "logo.png").write_bytes(b"\x89PNG")
    assert len(read_documents(folder)) == 3


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda path: path, "does not exist"),
        (lambda path: path.mkdir(), "holds no document"),
        (lambda path: path.mkdir() or (path / "a.md").write_text(PAGES["staff.md"]), "holds no document"),
        (lambda path: path.mkdir() or (path / "a.md").write_bytes(b"\xff\xfe"), "UTF-8"),
        (lambda path: path.mkdir() or rows(path / "a.jsonl", "{"), "a.jsonl:1 is not JSON"),
        (lambda path: path.mkdir() or rows(path / "a.jsonl", {"title": "x"}), "needs an object"),
        (lambda path: path.mkdir() or rows(path / "a.jsonl", "[1]"), "needs an object"),
        (lambda path: path.mkdir() or (path / "a.jsonl.gz").write_bytes(b"not gzip"), "cannot be read"),
        (
            lambda path: path.mkdir() or rows(path / "a.jsonl", {"id": "1", "text": "x"}, {"id": "1", "text": "y"}),
            "'1'",
        ),
    ],
)
def test_knowledge_that_cannot_be_read_is_a_configuration_error(tmp_path: Path, prepare: object, says: str) -> None:
    path = tmp_path / "knowledge"
    prepare(path)  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match=says) as caught:
        FaqAgent(name="faq", path=path)
    assert "knowledge" in str(caught.value)


def test_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FILE_BYTES_MAX", 1000)
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(ConfigurationError, match="1,000 bytes"):
        read_documents(tmp_path)


def test_sentences_end_where_a_new_one_begins_and_keep_every_character() -> None:
    text = 'He said "Stop." Then he left. It costs 4.90 euros, e.g. by card. No? Yes!'
    assert split_sentences(text) == [
        'He said "Stop."',
        "Then he left.",
        "It costs 4.90 euros, e.g. by card.",
        "No?",
        "Yes!",
    ]


def test_table_rows_and_code_are_kept_as_lines(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# T\n\n| Zone | Days |\n|---|---|\n| EU | 3 |\n\n```\nrun me\n# not a heading\n```\n"
    )
    assert read_documents(tmp_path)[0].sections[0].units == ("Zone | Days", "EU | 3", "run me", "# not a heading")


# ------------------------------------------------------------------------------------------------ at size

BANK = Path(os.environ.get("UNDERSTUDY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_seven_hundred_real_documents_answer_real_questions_alike_each_time() -> None:
    path = BANK / "kb_bank_documents.jsonl.gz"
    if not path.exists():
        pytest.skip(f"needs {path}")
    agent = FaqAgent(name="faq", path=path)
    with gzip.open(BANK / "intents_banking77.jsonl.gz", "rt") as lines:
        questions = [json.loads(line)["text"] for line, _ in zip(lines, range(300), strict=False)]
    again = FaqAgent(name="faq", path=path)
    for question in questions:
        first, second = agent.answer(question), again.answer(question)
        assert (first.text, first.sources) == (second.text, second.sources)
        assert first.does_not_know or first.sources
