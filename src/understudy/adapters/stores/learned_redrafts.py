"""Plans of redrafts in SQL."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from understudy.adapters.stores.learned_tables import redrafts
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.errors import StaleVersion
from understudy.records.redraft import RedraftPlan

_ADD = insert_into(redrafts)
_KEY = (
    redrafts.c.release_id == bindparam("release_is"),
    redrafts.c.topic == bindparam("topic_is"),
    redrafts.c.channel == bindparam("channel_is"),
)
_ONE = Statement(select(redrafts.c.body).where(*_KEY))
_OF_RELEASE = Statement(
    select(redrafts.c.body)
    .where(redrafts.c.release_id == bindparam("release_is"))
    .order_by(redrafts.c.topic, redrafts.c.channel)
)
_OF_SLICE = Statement(select(redrafts.c.body).where(*_KEY[1:]).order_by(redrafts.c.release_id))
_CHANGE = Statement(
    update(redrafts)
    .where(*_KEY, redrafts.c.version == bindparam("was"))
    .values(version=bindparam("version"), body=bindparam("body"))
)


class SqlRedrafts:
    """`ports.learned.Redrafts` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, plan: RedraftPlan) -> None:
        key = {"release_id": plan.release_id, "topic": plan.topic, "channel": plan.channel}
        self._session.change(_ADD, {**key, "version": plan.version, "body": plan})

    def get(self, release_id: str, topic: str, channel: str) -> RedraftPlan | None:
        found: RedraftPlan | None = self._session.scalar(
            _ONE, release_is=release_id, topic_is=topic, channel_is=channel
        )
        return found

    def of_release(self, release_id: str) -> list[RedraftPlan]:
        return [row[0] for row in self._session.rows(_OF_RELEASE, release_is=release_id)]

    def of_slice(self, topic: str, channel: str) -> list[RedraftPlan]:
        return [row[0] for row in self._session.rows(_OF_SLICE, topic_is=topic, channel_is=channel)]

    def change(self, plan: RedraftPlan, *, was: int) -> None:
        key = {"release_is": plan.release_id, "topic_is": plan.topic, "channel_is": plan.channel}
        self._session.change_one(
            _CHANGE,
            {**key, "was": was, "version": plan.version, "body": plan},
            refused=lambda: StaleVersion(
                f"the redrafts of {plan.release_id} on {plan.topic}×{plan.channel} are no longer at version {was}"
            ),
        )
