"""Everything one step may read and write, over one open connection; it neither begins nor commits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from understudy.adapters.stores.access import SqlIdempotencyKeys, SqlKeys
from understudy.adapters.stores.journal import SqlLedger, SqlRulebooks
from understudy.adapters.stores.people import SqlContacts, SqlConversations, SqlMessages
from understudy.adapters.stores.queue import SqlHolds, SqlVerdicts
from understudy.adapters.stores.sending import SqlOutbox
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.turns import SqlArtifacts, SqlTurns
from understudy.records.turn import Job


class SqlTransaction:
    """`ports.store.Transaction` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self.session = session = Session(connection)
        self.contacts = SqlContacts(session)
        self.conversations = SqlConversations(session)
        self.messages = SqlMessages(session)
        self.turns = SqlTurns(session)
        self.artifacts = SqlArtifacts(session)
        self.holds = SqlHolds(session)
        self.verdicts = SqlVerdicts(session)
        self.outbox = SqlOutbox(session)
        self.ledger = SqlLedger(session)
        self.rulebooks = SqlRulebooks(session)
        self.keys = SqlKeys(session)
        self.idempotency = SqlIdempotencyKeys(session)
        self.jobs: list[tuple[Job, datetime | None]] = []

    def announce(self, job: Job, *, at: datetime | None = None) -> None:
        self.jobs.append((job, at))
