"""PgQueuer's tables as we use them: install, put jobs in within somebody else's transaction, trim. It dispatches nothing.

The queue holds hints, so losing all of it costs a second: its tables are UNLOGGED, and no commit waits for them on disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import NotifyCallback
from psycopg import AsyncConnection, Connection, RawCursor
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow

from understudy.records.turn import Job

QUEUE = "understudy_pgqueuer"
ENTRYPOINT = "look"
NEWS_CHANNEL = "understudy_news"
NEWS_BYTES_MAX = 7_900
"""PostgreSQL carries less than 8,000 bytes in one notification; beyond this it says only that there is news."""

INSTALL_LOCK = 7_305_118_303
SWEEPER_LOCK = 7_305_118_304
HEARS_LOCK = 7_305_118_305
WORKER_LOCK = 7_305_118_306
"""Advisory locks of a session: PostgreSQL itself notices when the process that has one is gone."""

# Every name is given: PgQueuer would also read them from the environment, from names as plain as CHANNEL.
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("understudy_pgqueuer_changed"),
    function="fn_understudy_pgqueuer_changed",
    statistics_table=f"{QUEUE}_statistics",
    queue_status_type=f"{QUEUE}_status",
    queue_table=QUEUE,
    queue_table_log=f"{QUEUE}_log",
    trigger="tg_understudy_pgqueuer_changed",
    schedules_table=f"{QUEUE}_schedules",
    durability=Durability.volatile,
    widen_id=True,
)

_SESSION = (
    # The table is now empty and now full of jobs: a plan made for the one is a disaster for the other.
    "SET plan_cache_mode = force_custom_plan",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
)

_PUT = f"""
    INSERT INTO {QUEUE} AS job (priority, entrypoint, payload, dedupe_key, status)
    SELECT 0, '{ENTRYPOINT}', convert_to(name, 'UTF8'), name, 'queued' FROM unnest($1::text[]) AS names(name)
    ON CONFLICT (dedupe_key)
        WHERE status = ANY (ARRAY['queued'::{QUEUE}_status, 'picked'::{QUEUE}_status]) AND dedupe_key IS NOT NULL
    DO UPDATE SET updated = now()
"""  # noqa: S608 - constants of this module
"""Jobs already waiting are not put in twice. They are locked until the commit instead, so that nobody takes one and looks
before there is anything to see; a job that was taken already (see `_TAKEN`) is put in again."""

_TAKEN = f"""
CREATE OR REPLACE FUNCTION {QUEUE}_taken() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.dedupe_key := NULL; RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER {QUEUE}_taken BEFORE UPDATE OF status ON {QUEUE}
    FOR EACH ROW WHEN (OLD.status = 'queued' AND NEW.status = 'picked') EXECUTE FUNCTION {QUEUE}_taken();
"""
"""A job that is being looked at does not stand for the next hint: what that is about may have come after the look."""


_OTHERS = """
SELECT (classid::bigint << 32) + objid::bigint AS key, count(*) AS sessions FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) + objid::bigint = ANY ($1::bigint[])
GROUP BY 1
"""


class Others(NamedTuple):
    """How many other processes want to hear of what is committed, and how many work."""

    hearing: int
    workers: int


def name_of(job: Job) -> str:
    """A job in one word."""
    return f"{job.kind}:{job.key}"


def job_of(payload: bytes | None) -> Job:
    """Read what `name_of` wrote."""
    kind, _, key = (payload or b"").decode().partition(":")
    return Job(kind=kind, key=key)


def put_jobs(connection: Connection[Any], jobs: Iterable[Job], news: str) -> None:
    """Put jobs in and tell the other processes what is new, as part of the transaction that is open on a connection."""
    names = sorted({name_of(job) for job in jobs})
    if not names and not news:
        return
    with connection.pipeline():  # at its end the answers are there, and whoever asks learns what the database refused
        cursor = RawCursor(connection)
        if names:
            cursor.execute(_PUT, (names,))
        if news:
            cursor.execute("SELECT pg_notify($1, $2)", (NEWS_CHANNEL, news))


def news_of(origin: str, keys: set[str]) -> str:
    """Say in one notification which turns and conversations changed; who said it knows already."""
    text = json.dumps([origin, *sorted(keys)], separators=(",", ":"))
    return text if len(text.encode()) <= NEWS_BYTES_MAX else json.dumps([origin])


def read_news(payload: str) -> tuple[str, set[str]]:
    """Read what `news_of` wrote: who said it, and which keys; none = there is news, of too much to name."""
    origin, *keys = json.loads(payload)
    return str(origin), {str(key) for key in keys}


class Line:
    """Two connections as one driver: psycopg holds one while it listens, so questions would wait up to a second there."""

    def __init__(self, asks: AsyncConnection[TupleRow], listens: AsyncConnection[TupleRow]) -> None:
        self._asks_on, self._listens_on = asks, listens
        self._asks, self._listens = PsycopgDriver(asks), PsycopgDriver(listens)
        self.tm = self._listens.tm
        self.shutdown = self._listens.shutdown

    @property
    def is_deaf(self) -> bool:
        """Whether the connection that listens was closed."""
        return self._listens_on.closed

    @classmethod
    async def open(cls, conninfo: str, *, session_idle_s_max: float | None) -> Line:
        """Connect twice; PostgreSQL ends a session that asks nothing for `session_idle_s_max`, for a hung process."""
        asks = await _connect(conninfo)
        try:
            for setting in _SESSION:
                await asks.execute(setting)
            if session_idle_s_max is not None:
                await asks.execute(f"SET idle_session_timeout = '{int(session_idle_s_max * 1000)}ms'")
            return cls(asks, await _connect(conninfo))
        except BaseException:
            await asks.close()
            raise

    async def close(self) -> None:
        """Close both connections."""
        await self._asks_on.close()
        await self._listens_on.close()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return await self._asks.fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        return await self._asks.execute(query, *args)

    async def notify(self, channel: str, payload: str) -> None:
        await self._asks.notify(channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._listens.add_listener(channel, callback)

    async def __aenter__(self) -> Line:
        await self._listens.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._listens.__aexit__(*error)


async def _connect(conninfo: str) -> AsyncConnection[TupleRow]:
    return await AsyncConnection.connect(
        conninfo,
        autocommit=True,
        connect_timeout=5,
        application_name="understudy dispatch",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
    )


class Queue(Queries):
    """PgQueuer's queries over a line, bound to our names, and the few that it does not have."""

    def __init__(self, line: Line) -> None:
        super().__init__(
            line,
            qbe=QueryBuilderEnvironment(SETTINGS),
            qbq=QueryQueueBuilder(SETTINGS),
            qbs=QuerySchedulerBuilder(SETTINGS),
        )
        self._is_sweeper = False

    async def bring_up_to_date(self) -> None:
        """Install the tables, or bring them to PgQueuer's present version; parallel callers wait for each other."""
        await self.driver.execute("SELECT pg_advisory_lock($1)", INSTALL_LOCK)
        try:
            if await self.schema_is_installed():
                await self.apply_upgrade()
            else:
                await self.install()
                await self.optimize_autovacuum()
            if not await self.has_trigger(f"{QUEUE}_taken"):
                await self.driver.execute(_TAKEN)
        finally:
            await self.driver.execute("SELECT pg_advisory_unlock($1)", INSTALL_LOCK)

    async def join(self, *, works: bool, hears: bool) -> None:
        """Be counted among those that want to hear, and the workers, until this line is closed."""
        if hears:
            await self.driver.execute("SELECT pg_advisory_lock_shared($1)", HEARS_LOCK)
        if works:
            await self.driver.execute("SELECT pg_advisory_lock_shared($1)", WORKER_LOCK)

    async def others(self) -> Others:
        """Count the other processes on this database that want to hear, and those that work."""
        rows = await self.driver.fetch(_OTHERS, [HEARS_LOCK, WORKER_LOCK])
        counts = {str(row["key"]): int(str(row["sessions"])) for row in rows}
        return Others(hearing=counts.get(str(HEARS_LOCK), 0), workers=counts.get(str(WORKER_LOCK), 0))

    async def put(self, jobs: Sequence[Job]) -> None:
        """Put jobs in outside of any other transaction."""
        await self.driver.execute(_PUT, sorted({name_of(job) for job in jobs}))

    async def become_sweeper(self) -> bool:
        """Try to be the one process that sweeps; once it is, it stays so until this line is closed."""
        if not self._is_sweeper:
            (row,) = await self.driver.fetch("SELECT pg_try_advisory_lock($1) AS mine", SWEEPER_LOCK)
            self._is_sweeper = bool(row["mine"])
        return self._is_sweeper

    async def trim(self) -> None:
        """Empty the log, which nobody reads; left for the next time where somebody holds it for longer than a moment."""
        log = SETTINGS.queue_table_log
        (row,) = await self.driver.fetch(f"SELECT EXISTS (SELECT 1 FROM {log}) AS is_filled")  # noqa: S608 - a constant
        if row["is_filled"]:
            with suppress(LockNotAvailable):
                await self.driver.execute(f"SET LOCAL lock_timeout = '200ms'; TRUNCATE {log}")
