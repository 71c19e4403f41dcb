"""Write a SQLite file anew, so that nothing of what was deleted is left between its rows; a server may run beside it meanwhile.

`secure_delete` writes over deleted rows, but pages that were rearranged before may hold older copies of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from sqlalchemy import Engine

from understudy.adapters.stores.engine import is_sqlite
from understudy.errors import Conflict


def scrubber_of(engine: Engine) -> Callable[[], object] | None:
    """What writes the file of a store anew; None where it is none."""
    return partial(scrub, engine) if is_sqlite(engine) else None


def scrub(engine: Engine) -> bool:
    """Do it; False where the database is none of a file of ours. Takes as long as copying the file, and as much room again.

    Raises `Conflict` where another process keeps it busy, or still reads what was there before: then it has to be done again.
    """
    if not is_sqlite(engine):
        return False
    busy: type[BaseException] = engine.dialect.loaded_dbapi.OperationalError
    with closing(engine.raw_connection()) as pooled:
        connection: Any = pooled.driver_connection
        try:
            connection.execute("VACUUM")
            ((is_kept, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except busy as error:
            raise Conflict(f"the file is busy and was not written anew ({error})") from error
    if is_kept:
        raise Conflict("the file is busy, and what was written before is still beside it")
    return True
