"""What all campaigns of a run share: the zygote, the sink, migrated templates of both stores, one API key."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from crash_harness.campaign import Ground
from crash_harness.nursery import Nursery
from crash_harness.sink import Sink
from turns_harness.postgres import Postgres

TEMPLATE = "template_of_cells"
CONNECTIONS = 400
"""What PostgreSQL lets in: eight cells of three processes have twelve each at most, and those killed just now linger."""


@asynccontextmanager
async def prepared(folder: Path, postgres: Postgres | None) -> AsyncIterator[Ground]:
    """Prepare all in a folder that is empty; `postgres` None: campaigns on SQLite only."""
    async with Nursery() as nursery, Sink() as sink:
        template = folder / "template"
        template.mkdir()
        key = await _key(nursery, template, f"sqlite:///{template / 'store.db'}", postgres)
        yield Ground(
            folder=folder,
            nursery=nursery,
            sink=sink,
            template=template / "store.db",
            api_key=key,
            postgres=postgres,
        )


async def _key(nursery: Nursery, home: Path, sqlite_url: str, postgres: Postgres | None) -> str:
    """Make the schema and a key in each template; the key made for SQLite is put into PostgreSQL too."""
    config = home / "understudy.toml"
    words = [
        "keys",
        "create",
        "rosa",
        "--scope",
        "holds:read",
        "--scope",
        "holds:write",
        "--json",
        "--config",
        str(config),
    ]
    config.write_text(f'[store]\nurl = "{sqlite_url}"\n', encoding="utf-8")
    code, said = await nursery.run(words, home=home, name="keys")
    if code:
        raise RuntimeError(f"no template could be made: {said}{(home / 'keys.log').read_text()}")
    key: str = json.loads(said)["key"]
    if postgres is not None:
        words = ["migrate-store", "--from", sqlite_url, "--to", postgres.database(TEMPLATE), "--json"]
        code, said = await nursery.run(words, home=home, name="migrate-store")
        if code:
            raise RuntimeError(f"no template could be made: {said}{(home / 'migrate-store.log').read_text()}")
    return key


def new_folder() -> Path:
    """A folder of one's own with a short path: sockets of PostgreSQL may lie in it."""
    return Path(tempfile.mkdtemp(prefix="crash-"))


def remove(folder: Path) -> None:
    """Remove a folder with all in it."""
    shutil.rmtree(folder, ignore_errors=True)
