"""CSV: columns by a field's name or as the user maps them, and a wrong cell named with its line and column."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.ratings import PLAIN, Meaning
from understudy.backtest.histories.source import Source
from understudy.backtest.histories.tables import columns_of, read
from understudy.errors import ConfigurationError, MalformedInput

Write = Callable[..., Source]


def turns(source: Source, columns: str = "", meaning: Meaning = PLAIN) -> list[Labelled]:
    return list(read(source, meaning, columns_of(columns)))


def test_columns_by_the_names_of_the_fields(written: Write) -> None:
    text = (
        "id,conversation_id,at,channel,topic,agent_version,message,draft,confidence,verdict,text,severity,reasons,reviewer\n"
        't-1,c-1,2026-05-02 10:00,sms,refunds,v7,"Where, please?","It was\nsent.",0.9,edit,It was sent today.,0.2,late; tone,r-3\n'
    )
    (turn,) = turns(written(text, name="h.csv"))
    record, verdict = turn.record, turn.record.verdict
    assert (record.id, record.conversation_id, record.channel, record.topic) == ("t-1", "c-1", "sms", "refunds")
    assert (record.draft.text, record.draft.confidence, record.messages[0].content) == (
        "It was\nsent.",
        0.9,
        "Where, please?",
    )
    assert record.at is not None
    assert verdict is not None
    assert (verdict.action, verdict.severity, verdict.reasons, verdict.reviewer) == (
        "edit",
        0.2,
        ["late", "tone"],
        "r-3",
    )


def test_columns_by_the_users_names(written: Write) -> None:
    text = "Frage;Antwort;Note\nWo?;Hier.;5\nWann?;Nie.;2\n"
    found = turns(written(text, name="h.csv"), "message=Frage,draft=antwort,verdict=Note", Meaning(good_from=4))
    assert [one.record.verdict.action for one in found if one.record.verdict] == ["approve", "reject"]
    assert [one.record.id for one in found] == ["line-2", "line-3"]


def test_confidence_with_a_verdict_is_enough(written: Write) -> None:
    (turn,) = turns(written("\ufeffconfidence\tverdict\n0.5\tgood\n\n", name="h.tsv"))
    assert turn.record.draft.confidence == 0.5


def test_empty_verdict_is_none(written: Write) -> None:
    (turn,) = turns(written("confidence,verdict\n0.5,\n", name="h.csv"))
    assert turn.record.verdict is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "line 1.*verdict"),
        ("verdict,draft\ngood,x\n", "line 1.*message and draft"),
        ("confidence,verdict\n0.5,good\n0.5,meh\n", "line 3: column verdict.*--good"),
        ("confidence,verdict\nhigh,good\n", "line 2: column confidence"),
        ("confidence,verdict\n7,good\n", "line 2.*confidence"),
        ("confidence,verdict\n0.5,good,more\n", "line 2.*3 cells"),
        ('confidence,verdict\n0.5,"good\n', "line 2: not CSV"),
        ("confidence,verdict,at\n0.5,good,soon\n", "line 2: at"),
        ("", "line 1"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(written: Write, text: str, said: str) -> None:
    with pytest.raises(MalformedInput, match=said):
        turns(written(text, name="h.csv"))


@pytest.mark.parametrize(
    ("columns", "said"), [("drft=x", "did you mean draft"), ("draft", "not FIELD=COLUMN"), ("x=y", "fields are")]
)
def test_wrong_mapping_is_named(columns: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        columns_of(columns)


def test_column_that_is_not_there_is_named(written: Write) -> None:
    with pytest.raises(MalformedInput, match="no column 'Note'; there is 'confidence', 'verdict'"):
        turns(written("confidence,verdict\n", name="h.csv"), "verdict=Note")
