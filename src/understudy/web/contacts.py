"""`/v1/contacts`: read a customer, who they are over all channels, whether they get people and why; say who is one person."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.assessment.reasons import REASONS
from understudy.effects.groups import Member, read_group
from understudy.effects.trust import caps_of
from understudy.errors import InputError
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.conversation import Mode
from understudy.records.identity import HandleKind, Link
from understudy.records.trust import WhyLifted
from understudy.web.auth import AutonomyWriter, Eraser, HoldsReader, TheApp
from understudy.web.blind import cap_for
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import AddressOut, CapOut, ContactDetail, HandleOut, MemberOut, OptOutOut, SurveyOut
from understudy.web.win_back_shown import win_backs_of

SURVEYS_SHOWN = 10

router = APIRouter(prefix="/v1/contacts", tags=["review"], route_class=JsonRoute)


class Other(BaseModel):
    """Another contact, by id."""

    model_config = ConfigDict(strict=True, extra="forbid")

    contact_id: str = Field(min_length=1, max_length=200)


class HandleIn(BaseModel):
    """A handle that somebody vouches for."""

    model_config = ConfigDict(strict=True, extra="forbid")

    kind: Literal["email", "phone", "external"]
    value: str = Field(min_length=1, max_length=500)


class Lifting(BaseModel):
    """Why a cap is lifted."""

    model_config = ConfigDict(strict=True, extra="forbid")

    why: WhyLifted = Field(strict=False)


class Erasure(BaseModel):
    """Whom to erase: `confirm` is the contact's id once more, so that nobody is erased by a slip; `with_linked`: everybody who is
    linked with them, too."""

    model_config = ConfigDict(strict=True, extra="forbid")

    confirm: str = Field(min_length=1, max_length=200)
    with_linked: bool = False


class ErasedOut(BaseModel):
    """Whom it reached, and whom it left, though they are linked. `is_written_anew` false: bytes of it may stand in the database's file until
    that is written anew, which is done next by itself; `contact.rewritten` in the ledger says when it was."""

    contacts: list[str]
    left: list[str]
    is_written_anew: bool


class Links(BaseModel):
    """Pairs of contacts, the oldest first."""

    items: list[Link]


@router.get("/proposed", responses=answers(401, 403))
async def list_proposed(app: TheApp, key: HoldsReader) -> Links:  # noqa: ARG001 - the scope
    """List pairs of contacts that may be one person: somebody named what another has, or a rule did not dare."""
    return Links(items=await app.contacts.proposed())


@router.get("/{contact_id}", responses=answers(401, 403, 404))
async def get_contact(
    contact_id: str,
    app: TheApp,
    key: HoldsReader,
) -> ContactDetail:
    """Read a contact; `cap` says why they get people, null where they do not."""
    return await _shown(app, contact_id, key)


@router.post("/{contact_id}/lift_cap", responses=answers(401, 403, 404, 409))
async def lift_cap(contact_id: str, app: TheApp, key: AutonomyWriter, body: Lifting | None = None) -> ContactDetail:
    """Lift a contact's cap: from the next decision on the agent may answer them as it answers everybody. `why` stands in the ledger."""
    await app.trust.lift(contact_id, by=key.name, why=None if body is None else body.why)
    return await _shown(app, contact_id, key)


@router.post("/{contact_id}/erase", responses=answers(401, 403, 404, 409))
async def erase(contact_id: str, body: Erasure, app: TheApp, key: Eraser) -> ErasedOut:
    """Erase what a person said and was told, and every address of theirs, for good; the ledger stays whole. A SQLite file is written
    anew afterwards, whatever is killed in between, and nobody waits for it."""
    if body.confirm != contact_id:
        raise InputError(f"`confirm` must be the contact's id, {contact_id}; nothing was erased")
    erased = await app.erasing.erase(contact_id, with_linked=body.with_linked, by=key.name)
    return ErasedOut(contacts=list(erased.contacts), left=list(erased.left), is_written_anew=not app.erasing.has_file)


@router.post("/{contact_id}/link", responses=answers(401, 403, 404, 409))
async def link(contact_id: str, body: Other, app: TheApp, key: AutonomyWriter) -> ContactDetail:
    """Say that two contacts are one person. Replies and history follow only where both were proven to have the same handle."""
    await app.contacts.link(contact_id, body.contact_id, by=key.name)
    return await _shown(app, contact_id, key)


@router.post("/{contact_id}/unlink", responses=answers(401, 403, 404, 409))
async def unlink(contact_id: str, body: Other, app: TheApp, key: AutonomyWriter) -> ContactDetail:
    """Take the link of two contacts away, or refuse a proposed one: each is as it was, and no rule links them again."""
    await app.contacts.unlink(contact_id, body.contact_id, by=key.name)
    return await _shown(app, contact_id, key)


@router.post("/{contact_id}/vouch", responses=answers(401, 403, 404, 409))
async def vouch(contact_id: str, body: HandleIn, app: TheApp, key: AutonomyWriter) -> ContactDetail:
    """Say as a person that a handle is this contact's; they count as verified from then on."""
    await app.contacts.vouch(contact_id, HandleKind(body.kind), body.value, by=key.name)
    return await _shown(app, contact_id, key)


async def _shown(app: App, contact_id: str, key: Caller) -> ContactDetail:
    rules, now = app.rulebook.rules.trust, app.clock.now()

    def query(tx: Transaction) -> ContactDetail:
        contact, cap = tx.contacts.get(contact_id), cap_for(tx, key, next(iter(caps_of(tx, contact_id)), None))
        group = read_group(tx, contact_id)
        members = tuple(one.contact.id for one in group.members)
        asked = tx.surveys.of_contacts(members, limit=SURVEYS_SHOWN)
        return ContactDetail(
            id=contact.id,
            name=contact.name,
            email=contact.email,
            phone=contact.phone,
            cap=None
            if cap is None or not cap.holds(rules, now)
            else CapOut(
                cause=cap.cause,
                explanation=REASONS[f"trust_{cap.cause.value}"],
                turn_id=cap.turn_id,
                since=cap.at,
                ends_at=cap.ends_at(rules),
                good_contacts=cap.good,
                good_contacts_needed=rules.good_contacts or None,
            ),
            group=[_member(one) for one in group.members],
            links=list(group.links),
            opt_outs=[
                OptOutOut(channel=one.channel, said=one.said, since=one.at) for one in tx.opt_outs.of_contacts(members)
            ],
            surveys=[
                SurveyOut(
                    turn_id=one.turn_id,
                    channel=one.channel,
                    scale=one.scale,
                    state=one.state,
                    score=one.score,
                    at=one.at,
                )
                for one in asked
            ],
            win_backs=win_backs_of(tx, members, key),
        )

    return await app.store.read(query)


def _member(member: Member) -> MemberOut:
    contact = member.contact
    return MemberOut(
        id=contact.id,
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        is_proven=member.is_proven,
        handles=[
            HandleOut(
                kind=one.kind,
                value=one.value,
                how=one.how,
                channel=one.channel,
                verified_at=one.verified_at,
                verified_by=one.verified_by,
            )
            for one in member.handles
        ],
        addresses=[
            AddressOut(conversation_id=one.id, channel=one.channel, address=one.address)
            for one in member.conversations
            if one.mode is not Mode.REHEARSAL
        ],
    )
