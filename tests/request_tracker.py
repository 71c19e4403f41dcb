"""A real Request Tracker 5 for tests: the Debian packages request-tracker5 and rt5-db-sqlite, over a SQLite file of its own.

It asks for nothing of the installed one's configuration. Who needs it loads this by its path: test files are no package.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mail_servers import free_port

SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
SETUP = "rt-setup-database-5"
WITHIN_S = 120.0
CONFIG = """
Set($rtname, 'shop.example');
Set($Organization, 'shop.example');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.sqlite3');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($MasonDataDir, '{folder}/mason');
Set($MasonSessionDir, '{folder}/session');
Set($WebSessionClass, 'Apache::Session::File');
1;
"""
TOKEN = """
use lib '/usr/share/request-tracker5/lib';
use RT; RT::LoadConfig(); RT::Init();
my $root = RT::User->new(RT->SystemUser); $root->Load('root');
my $token = RT::AuthToken->new(RT->SystemUser);
my ($ok, $said, $auth) = $token->Create(Owner => $root->Id, Description => 'understudy');
die $said unless $ok; print $auth;
"""


@dataclass
class RequestTracker:
    """Where it is, and what lets one in."""

    url: str
    token: str

    def ask(self, path: str, **params: str) -> Any:
        """Read something by REST2, as its administrator does."""
        headers = {"authorization": f"token {self.token}"}
        answer = httpx2.get(f"{self.url}/REST/2.0/{path}", params=params, headers=headers, timeout=WITHIN_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tickets(self) -> list[dict[str, Any]]:
        """Every ticket there is, the oldest first."""
        return list(self.ask("tickets", query="id > 0", fields="Subject,Status,Owner", orderby="id")["items"])

    def contents(self, ticket: str) -> str:
        """All that was written into a ticket."""
        listed = self.ask(f"ticket/{ticket}/attachments", per_page="100")["items"]
        found = [httpx2.get(one["_url"], headers={"authorization": f"token {self.token}"}).json() for one in listed]
        return "\n".join(base64.b64decode(one.get("Content") or "").decode(errors="replace") for one in found)


@contextmanager
def request_tracker() -> Iterator[RequestTracker]:
    """Serve one; skips the test where it is not installed."""
    if not SERVER.exists() or shutil.which(SETUP) is None:
        pytest.skip("no Request Tracker 5: apt-get install --no-install-recommends request-tracker5 rt5-db-sqlite")
    with tempfile.TemporaryDirectory(prefix="rt5") as name:
        folder, port = Path(name), free_port()
        for part in ("site.d", "mason", "session"):
            (folder / part).mkdir()
        (folder / "site.pm").write_text(CONFIG.format(port=port, folder=folder))
        environment = {
            **os.environ,
            "RT_SITE_CONFIG": str(folder / "site.pm"),
            "RT_SITE_CONFIG_DIR": str(folder / "site.d"),
        }
        _run([SETUP, "--action", "init", "--skip-create"], environment)
        token = _run(["perl", "-e", TOKEN], environment)
        command = ["perl", str(SERVER), "--server", "HTTP::Server::PSGI", "--host", "127.0.0.1", "--port", str(port)]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                tracker = RequestTracker(url=f"http://127.0.0.1:{port}", token=token)
                _wait(server, tracker, folder / "log")
                yield tracker
            finally:
                server.terminate()
                server.wait(timeout=WITHIN_S)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=WITHIN_S, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def _wait(server: subprocess.Popen[bytes], tracker: RequestTracker, log: Path) -> None:
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        assert server.poll() is None, log.read_text()
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{tracker.url}/REST/2.0/rt", timeout=WITHIN_S).status_code == 401:
                return
        time.sleep(0.2)
    raise AssertionError(f"Request Tracker did not start: {log.read_text()}")
