"""A mock server made by Prism from a vendor's own OpenAPI description, for tests; it keeps nothing that it is told.

`.ci/run` installs both into `.prism`, apart from all else: the descriptions of Twilio's interfaces come in an npm package of theirs.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from mail_servers import free_port

FOLDER = Path(__file__).parents[1] / ".prism"
PRISM = FOLDER / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
TWILIO = FOLDER / "package" / "twilio-oai" / "spec" / "json" / "twilio_api_v2010.json"
WITHIN_S = 60.0


@contextmanager
def mocked(description: Path) -> Iterator[str]:
    """Serve what a description says; requests that it does not allow are refused. Their own examples are answered as they
    are, since not all of them keep to their schemas. Skips the test where it is not installed."""
    node = shutil.which("node")
    if node is None or not PRISM.exists() or not description.exists():
        pytest.skip("no Prism, or no description of the vendor's: see .ci/run, which installs both into .prism")
    port = free_port()
    command = [
        node,
        str(PRISM),
        "mock",
        "-m",
        "false",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        str(description),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(server, url)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)  # `node` may be a script that starts the real one
        server.wait(timeout=WITHIN_S)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        assert server.poll() is None, "Prism ended by itself"
        with suppress(httpx2.HTTPError):
            if httpx2.get(url, timeout=WITHIN_S).status_code == 404:
                return
        time.sleep(0.1)
    raise AssertionError("Prism did not start")
