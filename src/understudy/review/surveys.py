"""Ask customers how it was, once a conversation is quiet; what counts as an answer stands in `turn/asides.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from understudy.assessment.language import language_of
from understudy.effects.sending import queue_message
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.survey import Survey, SurveyState, SurveyTerms, author_of_question
from understudy.records.turn import Turn

SWEEP_MAX: Final = 100
LATE: Final = timedelta(hours=24)
"""A conversation that was quiet for so much longer than it had to be is not asked about any more."""


class Surveys:
    """Asks by rule. `terms` None: nobody is asked."""

    def __init__(self, store: Store, clock: Clock, *, terms: SurveyTerms | None) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms

    async def sweep(self) -> int:
        """Ask about every conversation that is due, and end questions that nobody answered; returns how many were asked."""
        terms = self._terms
        if terms is None:
            return 0
        now = self._clock.now()
        since, until = now - terms.quiet - LATE, now - terms.quiet

        def look(tx: Transaction) -> tuple[list[Turn], list[Survey]]:
            due = tx.surveys.due(since=since, until=until, limit=SWEEP_MAX)
            return due, tx.surveys.overdue(now - terms.answer_within, limit=SWEEP_MAX)

        due, overdue = await self._store.read(look)
        if not due and not overdue:
            return 0

        def step(tx: Transaction) -> int:
            for survey in overdue:
                if (known := tx.surveys.of_turn(survey.turn_id)) is not None and known.state is SurveyState.ASKED:
                    tx.surveys.put(replace(known, state=SurveyState.PASSED))
            asked = sum(self._look_at(tx, turn, terms) for turn in due)
            tx.ledger.append("csat.swept", at=now, asked=asked, looked_at=len(due), passed=len(overdue))
            return asked

        return await self._store.write(step)

    def _look_at(self, tx: Transaction, turn: Turn, terms: SurveyTerms) -> bool:
        """Ask about one turn, or note that it is not asked about; whether it was asked."""
        latest = tx.turns.latest_of(turn.conversation_id)
        if latest is None or latest.id != turn.id or tx.surveys.of_turn(turn.id) is not None:
            return False
        conversation = tx.conversations.get(turn.conversation_id)
        survey = self._survey(turn, conversation, terms)
        if not self._may_ask(tx, conversation, terms):
            tx.surveys.put(survey)
            return False
        language = self._language(tx, conversation, terms)
        question = terms.questions[language]
        entry = queue_message(
            tx,
            self._clock,
            conversation,
            turn_id=None,
            text=question.text,
            author=Author.SAFE_REPLY,
            author_name=author_of_question(terms.scale, question.version),
            ai_generated=False,
        )
        name = f"{language}@{question.version}"
        asked = replace(survey, state=SurveyState.ASKED, outbox_id=entry.id, question=name)
        tx.surveys.put(asked)
        tx.ledger.append(
            "csat.asked",
            at=self._clock.now(),
            turn_id=turn.id,
            conversation_id=conversation.id,
            outbox=entry.id,
            question=name,
            scale=terms.scale.value,
            alone=survey.alone,
        )
        return True

    def _survey(self, turn: Turn, conversation: Conversation, terms: SurveyTerms) -> Survey:
        return Survey(
            turn_id=turn.id,
            contact_id=conversation.contact_id,
            conversation_id=conversation.id,
            channel=conversation.channel,
            topic=turn.topic or "",
            alone=turn.decision is DecisionKind.DELIVER,
            scale=terms.scale,
            question="",
            state=SurveyState.UNDRAWN,
            outbox_id=None,
            at=self._clock.now(),
        )

    def _may_ask(self, tx: Transaction, conversation: Conversation, terms: SurveyTerms) -> bool:
        """Whether this customer is asked now: never while somebody is still to answer, nor who wants no messages."""
        now, contacts = self._clock.now(), (conversation.contact_id,)
        if conversation.channel not in terms.channels or conversation.mode is Mode.REHEARSAL:
            return False
        if tx.holds.open_of_conversation(conversation.id) or tx.outbox.open_of(conversation.id):
            return False
        said = tx.messages.of_conversation(conversation.id, limit=1)
        if not said or not said[-1].is_ours or now - said[-1].at < terms.quiet:
            return False
        if any(one.channel == conversation.channel for one in tx.opt_outs.of_contacts(contacts)):
            return False
        last = tx.surveys.of_contacts(contacts, limit=1)
        if last and now - last[0].at < terms.again_after:
            return False
        return self._clock.random() < terms.share

    def _language(self, tx: Transaction, conversation: Conversation, terms: SurveyTerms) -> str:
        said = tx.messages.of_conversation(conversation.id)
        for text in ("\n".join(one.text for one in said if not one.is_ours), said[-1].text):
            if (language := language_of(text)) in terms.questions and language is not None:
                return language
        return terms.language
