"""Messages that are no question to anybody: a word that ends or begins messages, an answer to how it was. They begin no turn.

A message that is more than that is none of these, and is answered like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from understudy.effects.feedback import take_feedback
from understudy.effects.sending import queue_message
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Author, Conversation, Inbound
from understudy.records.feedback import USUAL_FEEDBACK, FeedbackTerms
from understudy.records.opt_out import OptOut, OptOutTerms, Wish, as_word
from understudy.records.outbox import OutboxState
from understudy.records.review import Hold
from understudy.records.survey import Survey, SurveyState, SurveyTerms, feedback_of, score_of

NO_WORDS = OptOutTerms(words={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What a message was taken for: it belongs to this turn, if to any, and opened these holds."""

    turn_id: str | None
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asides:
    """Recognises them. `survey` None: nobody is asked how it was. `feedback`: what follows from a score."""

    opt_out: OptOutTerms = NO_WORDS
    survey: SurveyTerms | None = None
    feedback: FeedbackTerms = USUAL_FEEDBACK

    def take(self, tx: Transaction, clock: Clock, conversation: Conversation, inbound: Inbound) -> Aside | None:
        """Do what a message asks for beside all turns; None where it is for somebody to answer."""
        if inbound.needs_person is not None:
            return None
        return self._wish(tx, clock, conversation, inbound.text) or self._answer(tx, clock, conversation, inbound.text)

    def _wish(self, tx: Transaction, clock: Clock, conversation: Conversation, text: str) -> Aside | None:
        said = self.opt_out.said(conversation.channel, text)
        if said is None:
            return None
        wish, language = said
        words, channel, contacts = self.opt_out.words[language], conversation.channel, (conversation.contact_id,)
        is_out = any(one.channel == channel for one in tx.opt_outs.of_contacts(contacts))
        match wish:
            case Wish.START if is_out:
                tx.opt_outs.lift(contacts, channel)
                entry = self._confirm(tx, clock, conversation, words.started, f"opt_out.start@{words.version}")
                _tell(tx, clock, "opt_out.lifted", conversation, text, f"{language}@{words.version}", entry)
            case Wish.START:
                return None  # Whoever gets messages may begin with that word.
            case Wish.STOP if is_out:
                _tell(tx, clock, "opt_out.repeated", conversation, text, f"{language}@{words.version}", None)
            case Wish.STOP:
                entry = self._confirm(tx, clock, conversation, words.stopped, f"opt_out.stop@{words.version}")
                tx.opt_outs.put(
                    OptOut(
                        contact_id=conversation.contact_id,
                        channel=channel,
                        conversation_id=conversation.id,
                        said=as_word(text),
                        at=clock.now(),
                        confirmation=entry,
                    )
                )
                _tell(tx, clock, "opt_out.made", conversation, text, f"{language}@{words.version}", entry)
        return Aside(turn_id=None)

    def _confirm(
        self, tx: Transaction, clock: Clock, conversation: Conversation, text: str, author_name: str
    ) -> str | None:
        """Queue the one message that may still leave, or again; None where the carrier says it."""
        if conversation.channel not in self.opt_out.confirmed:
            return None
        return queue_message(
            tx,
            clock,
            conversation,
            turn_id=None,
            text=text,
            author=Author.SAFE_REPLY,
            author_name=author_name,
            ai_generated=False,
        ).id

    def _answer(self, tx: Transaction, clock: Clock, conversation: Conversation, text: str) -> Aside | None:
        """A score counts as the next message after its question, in time and in plain form; else the question is over."""
        survey = None if self.survey is None else tx.surveys.open_of(conversation.id)
        if survey is None or self.survey is None:
            return None
        is_in_time = clock.now() - survey.at <= self.survey.answer_within
        score = score_of(text, survey.scale) if is_in_time and _was_read(tx, survey) else None
        if score is None:
            tx.surveys.put(replace(survey, state=SurveyState.PASSED))
            return None
        now = clock.now()
        tx.surveys.put(replace(survey, state=SurveyState.ANSWERED, score=score, answered_at=now))
        tx.ledger.append(
            "csat.answered",
            at=now,
            turn_id=survey.turn_id,
            conversation_id=conversation.id,
            actor="customer",
            score=score,
            scale=survey.scale.value,
            question=survey.question,
            alone=survey.alone,
        )
        kind = feedback_of(score)
        turn = tx.turns.get(survey.turn_id)
        hold = None if kind is None else take_feedback(tx, clock, turn, kind, by="customer", terms=self.feedback)
        return Aside(turn_id=survey.turn_id, holds=() if hold is None else (hold,))


def _tell(
    tx: Transaction,
    clock: Clock,
    event: str,
    conversation: Conversation,
    text: str,
    words: str,
    confirmation: str | None,
) -> None:
    tx.ledger.append(
        event,
        at=clock.now(),
        conversation_id=conversation.id,
        actor="customer",
        contact=conversation.contact_id,
        channel=conversation.channel,
        said=as_word(text),
        words=words,
        confirmation=confirmation,
    )


def _was_read(tx: Transaction, survey: Survey) -> bool:
    """Whether the question arrived; a number before that answers something else."""
    entry = None if survey.outbox_id is None else tx.outbox.find(survey.outbox_id)
    return entry is not None and entry.state is OutboxState.SENT
