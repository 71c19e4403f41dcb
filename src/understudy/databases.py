"""The configured database, opened by itself: for the composition root, and for commands that need no more than it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from understudy.adapters.stores import copying, migrate
from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.scrubbing import scrubber_of
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.system_clock import SystemClock
from understudy.adapters.telemetry.fan_out import FanOut
from understudy.assessment.check import Check
from understudy.contacts.desk import ContactDesk
from understudy.contacts.erasing import Erasing
from understudy.delivery.action_desk import ActionDesk
from understudy.delivery.dead_letters import DeadLetters
from understudy.effects.absence import NobodyHome
from understudy.errors import ConfigurationError
from understudy.evaluation.archive import Archive
from understudy.evaluation.casebook import Casebook, Suites
from understudy.learning.orders import Orders
from understudy.learning.status import Status
from understudy.pledges.desk import PledgeDesk
from understudy.ports.store import Store
from understudy.release.orders import Gate, ReleaseOrders, ServedGate
from understudy.release.status import ReleaseReports
from understudy.review.quality import Reviewers
from understudy.review.seed_bank import SeedBank
from understudy.settings.absence import nobody_home_of
from understudy.settings.earning import review_terms_of, targets_of, terms_of
from understudy.settings.model import Settings
from understudy.settings.releases import release_terms_of
from understudy.settings.rules import rulebook_of
from understudy.settings.staffed import staffing_of
from understudy.settings.stated import stated
from understudy.staffing.desk import StaffingDesk
from understudy.tickets.flow import TicketDesk


def takes_one_process(settings: Settings) -> bool:
    """Whether the configured store takes only one process at a time."""
    return not settings.store.url.startswith("postgresql")


def open_store(settings: Settings, base: Path) -> SqlStore:
    """Open the store and make its schema fit for this version; raises `ConfigurationError` where that cannot be."""
    store = SqlStore(_store_url(settings, base))
    try:
        migrate.Migrations(store.engine).prepare(may_change=settings.store.migrate_at_start)
    except SQLAlchemyError as error:
        store.close_now()
        raise _cannot_open(store.engine, error) from error
    except ConfigurationError:
        store.close_now()
        raise
    return store


def open_existing_store(settings: Settings, base: Path) -> SqlStore:
    """The same for a command that only reads: an empty database that it would make is no answer to what it is asked."""
    file = settings.store.url.removeprefix("sqlite:///")
    if takes_one_process(settings) and not (base / file).is_file():
        raise ConfigurationError(f"store.url: there is no database {base / file}; `understudy serve` makes one")
    return open_store(settings, base)


def _store_url(settings: Settings, base: Path) -> str:
    url = settings.store.url
    if url.startswith("sqlite:///") and ":memory:" not in url:
        path = base / url.removeprefix("sqlite:///")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"store.url: the folder {path.parent} cannot be made: {error.strerror}") from error
        url = f"sqlite:///{path}"
    return url


def _cannot_open(engine: Engine, error: SQLAlchemyError) -> ConfigurationError:
    said = str(getattr(error, "orig", error)).strip().splitlines()[0]
    shown = engine.url.render_as_string(hide_password=True)
    return ConfigurationError(f"store.url: {shown} cannot be opened: {said}; `understudy doctor` says more")


@contextmanager
def open_migrations(settings: Settings, base: Path) -> Iterator[migrate.Migrations]:
    """Open the database for its schema alone; nothing is changed."""
    engine = open_engine(_store_url(settings, base))
    try:
        yield migrate.Migrations(engine)
    except SQLAlchemyError as error:
        raise _cannot_open(engine, error) from error
    finally:
        engine.dispose()


@contextmanager
def _opened(settings: Settings, base: Path) -> Iterator[SqlStore]:
    """Open the store for a command."""
    store = open_store(settings, base)
    try:
        yield store
    finally:
        store.close_now()


def _nobody_home(settings: Settings) -> NobodyHome | None:
    """What a command says to customers who need a person by what it does, while nobody is there."""
    return nobody_home_of(settings, rulebook_of(settings))


@contextmanager
def open_dead_letters(settings: Settings, base: Path) -> Iterator[DeadLetters]:
    """Open the store for a command that looks after messages which were not sent; a server may run beside it."""
    with _opened(settings, base) as store:
        yield DeadLetters(store, SystemClock(), FanOut([]), nobody_home=_nobody_home(settings))


@contextmanager
def open_contacts(settings: Settings, base: Path) -> Iterator[ContactDesk]:
    """Open the store for a command that looks after who customers are; a server may run beside it."""
    rules = rulebook_of(settings).rules
    with _opened(settings, base) as store:
        yield ContactDesk(store, SystemClock(), rules=lambda: rules)


@contextmanager
def open_erasing(settings: Settings, base: Path) -> Iterator[Erasing]:
    """Open the store to erase somebody; a server may run beside it."""
    with _opened(settings, base) as store:
        scrub = scrubber_of(store.engine)
        yield Erasing(store, SystemClock(), scrub=scrub, nobody_home=_nobody_home(settings))


@contextmanager
def open_pledges(settings: Settings, base: Path) -> Iterator[PledgeDesk]:
    """Open the store for a command that looks after what was promised to customers; a server may run beside it."""
    with _opened(settings, base) as store:
        yield PledgeDesk(store, SystemClock(), FanOut([]), terms=settings.pledges.terms(settings.business.timezone))


@contextmanager
def open_staffing(settings: Settings, base: Path) -> Iterator[StaffingDesk]:
    """Open the store for a command that looks at who takes hand-offs; a server may run beside it, and gives them."""
    with _opened(settings, base) as store:
        yield StaffingDesk(store, SystemClock(), FanOut([]), staffing=staffing_of(settings))


@contextmanager
def open_tickets(settings: Settings, base: Path) -> Iterator[TicketDesk]:
    """Open the store for a command that looks after tickets of hand-offs; it opens none itself."""
    with _opened(settings, base) as store:
        yield TicketDesk(store, SystemClock(), FanOut([]), (), proofs=lambda _channel: "none")


@contextmanager
def open_actions(settings: Settings, base: Path) -> Iterator[ActionDesk]:
    """Open the store for a command that looks after actions; a server may run beside it, and carries them out."""
    rules = rulebook_of(settings).rules
    with _opened(settings, base) as store:
        away = _nobody_home(settings)
        yield ActionDesk(store, SystemClock(), FanOut([]), rules=lambda: rules.actions, nobody_home=away)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedAutonomy:
    """What a command may ask about earned autonomy, and what it may order."""

    status: Status
    orders: Orders


@contextmanager
def open_autonomy(settings: Settings, base: Path) -> Iterator[EarnedAutonomy]:
    """Open the store for a command on earned autonomy; a server may run beside it."""
    rules, targets, terms = (
        rulebook_of(settings).rules,
        partial(targets_of, settings.autonomy),
        terms_of(settings.autonomy),
    )
    with _opened(settings, base) as store:
        orders = Orders(store, SystemClock(), FanOut([]), lambda: rules, targets_of=targets, terms=terms)
        status = Status(store, lambda: rules, targets_of=targets, terms=terms)
        yield EarnedAutonomy(status=status, orders=orders)


@contextmanager
def open_reviewers(settings: Settings, base: Path) -> Iterator[Reviewers]:
    """Open the store for a command that shows how people review; a server may run beside it."""
    with _opened(settings, base) as store:
        yield Reviewers(store, terms=review_terms_of(settings))


@contextmanager
def open_seed_bank(settings: Settings, base: Path, checks: tuple[Check, ...]) -> Iterator[SeedBank]:
    """Open the store for a command on seeds; a server may run beside it."""
    rulebook = rulebook_of(settings)
    with _opened(settings, base) as store:
        yield SeedBank(store, SystemClock(), rulebook, checks)


@contextmanager
def open_evaluation_store(settings: Settings, base: Path) -> Iterator[Archive]:
    """Open the store for a command that evaluates; a server may run beside it."""
    with _opened(settings, base) as store:
        yield Archive(store, SystemClock())


@contextmanager
def open_casebook(settings: Settings, base: Path) -> Iterator[Casebook]:
    """Open the store for a command that makes cases of its turns; a server may run beside it."""
    suites = Suites(base / settings.evaluation.suites, rulebook_of(settings).rules.profile)
    with _opened(settings, base) as store:
        yield Casebook(store, SystemClock(), suites)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReleases:
    """What a command may ask about releases, and what it may order."""

    reports: ReleaseReports
    orders: ReleaseOrders


@contextmanager
def open_releases(
    settings: Settings,
    base: Path,
    *,
    version_of: Callable[[str], str | None],
    gate: Callable[[Store], Gate | None] = lambda store: None,
    served: Callable[[Store], ServedGate | None] = lambda store: None,
) -> Iterator[KnownReleases]:
    """Open the store for a command on releases; a server may run beside it. `version_of` asks an entry of `[agents]`
    what it calls itself, `gate` makes what compares a new release with the one that answers now, `served` what has servers
    do it."""
    found, terms = stated(settings, base), release_terms_of(settings.releases)
    clock = SystemClock()
    with _opened(settings, base) as store:
        yield KnownReleases(
            reports=ReleaseReports(store, clock, found, terms=terms),
            orders=ReleaseOrders(
                store,
                clock,
                FanOut([]),
                found,
                terms=terms,
                version_of=version_of,
                gate=gate(store),
                served=served(store),
            ),
        )


def copy_store(source_url: str, target_url: str, *, told: copying.Told) -> copying.Copied:
    """Copy a whole store into an empty one (`adapters/stores/copying.py`)."""
    return copying.copy_store(source_url, target_url, told=told)
