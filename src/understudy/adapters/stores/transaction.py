"""Everything one step may read and write, over one open connection; it neither begins nor commits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Dialect

from understudy.adapters.stores.access import SqlIdempotencyKeys, SqlKeys
from understudy.adapters.stores.actions import SqlActions
from understudy.adapters.stores.asked import SqlOptOuts, SqlSurveys
from understudy.adapters.stores.calls import SqlAgentCalls
from understudy.adapters.stores.desk import SqlDesk, SqlWaitingVerdicts
from understudy.adapters.stores.erasing import SqlErasures
from understudy.adapters.stores.evaluation import SqlGates, SqlRuns
from understudy.adapters.stores.failures import SqlFailures
from understudy.adapters.stores.figures import SqlFigures
from understudy.adapters.stores.forgetting import catch_up
from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.identities import SqlIdentities
from understudy.adapters.stores.journal import SqlLedger, SqlRulebooks
from understudy.adapters.stores.learned import SqlCalibrators, SqlCandidates, SqlEpochs, SqlStops
from understudy.adapters.stores.learned_redrafts import SqlRedrafts
from understudy.adapters.stores.learned_topics import SqlTopics
from understudy.adapters.stores.marks import Mark, SqlMarks
from understudy.adapters.stores.notes import SqlNotes, SqlRemarks
from understudy.adapters.stores.numbers import Numbers
from understudy.adapters.stores.oversight import SqlCaps, SqlFeedbacks, SqlReviews, SqlSeeds
from understudy.adapters.stores.people import SqlContacts, SqlConversations, SqlMessages
from understudy.adapters.stores.pledges import SqlPledges
from understudy.adapters.stores.pulls import SqlEnvelopes, SqlPulls
from understudy.adapters.stores.queue import SqlHolds, SqlVerdicts
from understudy.adapters.stores.releases import SqlReleases
from understudy.adapters.stores.sending import SqlOutbox
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.spread import SqlPendingGates, SqlSpreadRuns
from understudy.adapters.stores.staffing import SqlAssignments
from understudy.adapters.stores.summaries import SqlSummaries
from understudy.adapters.stores.tickets import SqlContracts, SqlTickets, SqlTicketSteps
from understudy.adapters.stores.trail import SqlProcesses, SqlTrail
from understudy.adapters.stores.turns import SqlArtifacts, SqlTurns
from understudy.adapters.stores.users import SqlUsers
from understudy.adapters.stores.win_backs import SqlWinBacks
from understudy.ports.store import Committed
from understudy.records.turn import Job


class SqlTransaction:
    """`ports.store.Transaction` over one of the driver's connections; `hot` is what the writer remembers, and a query has none."""

    def __init__(
        self,
        connection: Any,
        dialect: Dialect,
        hot: Hot | None = None,
        *,
        pipeline: Any = None,
        mark: Mark | None = None,
    ) -> None:
        hot = hot or Hot(scenes_max=0)
        self.session = session = Session(connection, dialect, pipeline=pipeline, mark=mark)
        numbers = Numbers(session, hot)
        self.contacts = SqlContacts(session, hot)
        self.conversations = SqlConversations(session, hot)
        self.messages = SqlMessages(session, hot, numbers)
        self.turns = SqlTurns(session, hot, numbers)
        self.artifacts = SqlArtifacts(session, hot)
        self.holds = SqlHolds(session)
        self.verdicts = SqlVerdicts(session)
        self.waiting_verdicts = SqlWaitingVerdicts(session)
        self.desk = SqlDesk(session)
        self.outbox = SqlOutbox(session, hot, numbers)
        self.ledger = SqlLedger(session)
        self.rulebooks = SqlRulebooks(session, hot)
        self.keys = SqlKeys(session)
        self.idempotency = SqlIdempotencyKeys(session)
        self.users = SqlUsers(session)
        self.calls = SqlAgentCalls(session)
        self.trail = SqlTrail(session)
        self.processes = SqlProcesses(session)
        self.pulls = SqlPulls(session)
        self.envelopes = SqlEnvelopes(session)
        self.tickets = SqlTickets(session)
        self.pledges = SqlPledges(session, hot.pledges)
        self.assignments = SqlAssignments(session)
        self.ticket_steps = SqlTicketSteps(session)
        self.contracts = SqlContracts(session)
        self.notes = SqlNotes(session)
        self.remarks = SqlRemarks(session)
        self.actions = SqlActions(session, hot)
        self.identities = SqlIdentities(session, hot.identity)
        self.win_backs = SqlWinBacks(session)
        self.summaries = SqlSummaries(session)
        self.erasures = SqlErasures(session, hot)
        self._open_what_is_learned(session, hot)
        self.jobs: list[tuple[Job, datetime | None]] = []
        self._began_at: int | None = None

    def _open_what_is_learned(self, session: Session, hot: Hot) -> None:
        """Verdicts' evidence and what comes of it: autonomy, reviewers, trust, releases, runs and gates."""
        self.candidates = SqlCandidates(session, hot.autonomy)
        self.epochs = SqlEpochs(session, hot.autonomy)
        self.calibrators = SqlCalibrators(session, hot.autonomy)
        self.stops = SqlStops(session, hot.autonomy)
        self.redrafts = SqlRedrafts(session)
        self.topics = SqlTopics(session, hot.autonomy)
        self.seeds = SqlSeeds(session)
        self.reviews = SqlReviews(session)
        self.feedback = SqlFeedbacks(session, hot.autonomy)
        self.caps = SqlCaps(session, hot.autonomy)
        self.opt_outs = SqlOptOuts(session, hot.autonomy)
        self.surveys = SqlSurveys(session)
        self.figures = SqlFigures(session)
        self.failures = SqlFailures(session)
        self.runs = SqlRuns(session)
        self.gates = SqlGates(session)
        self.releases = SqlReleases(session, hot.autonomy)
        self.spread = SqlSpreadRuns(session)
        self.pending_gates = SqlPendingGates(session, self.spread)

    def begin(self, hot: Hot) -> None:
        """See where the ledger ends, and let go of what is remembered and others changed since."""
        changed: Mark | None = None
        if self.session.mark is not None:
            head, changed = SqlMarks(self.session).look_back(hot.head)
            self.ledger.begin_at(head)
        self._began_at = self.ledger.head_seq()
        catch_up(hot, self.ledger.head(), changed)

    def announce(self, job: Job, *, at: datetime | None = None) -> None:
        self.jobs.append((job, at))

    def keep(self, job: Job) -> None:
        self.jobs = [(other, at) for other, at in self.jobs if other != job]

    def write(self) -> Committed:
        """Write all that the steps left to be written, and return what is true once it is committed."""
        entries = self.ledger.flush()
        self.session.write()
        if entries and self.session.mark is not None and self._began_at is not None:
            SqlMarks(self.session).leave(self.session.mark, after=self._began_at, head=entries[-1].seq)
        return Committed(entries=entries, jobs=tuple(self.jobs))
