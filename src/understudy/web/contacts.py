"""`/v1/contacts`: read a customer, and whether they get people and why; let them have the agent again."""

from __future__ import annotations

from fastapi import APIRouter

from understudy.app import App
from understudy.assessment.decision import REASONS
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.web.auth import AutonomyWriter, HoldsReader, TheApp
from understudy.web.blind import cap_for
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import CapOut, ContactDetail, OptOutOut, SurveyOut

SURVEYS_SHOWN = 10

router = APIRouter(prefix="/v1/contacts", tags=["review"], route_class=JsonRoute)


@router.get("/{contact_id}", responses=answers(401, 403, 404))
async def get_contact(
    contact_id: str,
    app: TheApp,
    key: HoldsReader,
) -> ContactDetail:
    """Read a contact; `cap` says why they get people, null where they do not."""
    return await _shown(app, contact_id, key)


@router.post("/{contact_id}/lift_cap", responses=answers(401, 403, 404, 409))
async def lift_cap(contact_id: str, app: TheApp, key: AutonomyWriter) -> ContactDetail:
    """Lift a contact's cap: from the next decision on the agent may answer them as it answers everybody."""
    await app.trust.lift(contact_id, by=key.name)
    return await _shown(app, contact_id, key)


async def _shown(app: App, contact_id: str, key: Caller) -> ContactDetail:
    rules, now = app.rulebook.rules.trust, app.clock.now()

    def query(tx: Transaction) -> ContactDetail:
        contact, cap = tx.contacts.get(contact_id), cap_for(tx, key, tx.caps.of_contact(contact_id))
        asked = tx.surveys.of_contacts((contact_id,), limit=SURVEYS_SHOWN)
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
            opt_outs=[
                OptOutOut(channel=one.channel, said=one.said, since=one.at)
                for one in tx.opt_outs.of_contacts((contact_id,))
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
        )

    return await app.store.read(query)
