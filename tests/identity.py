"""A real identity provider for tests: `provider/provider.js` on the Node that the development environment brings.

`./dev test` fetches what it is made of. Without that a test is skipped, but not in CI. Nothing here judges.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest

FOLDER = Path(__file__).with_name("provider")
CLIENT, SECRET = "understudy", "a secret of both"
ACCOUNTS = {
    "ines": {"name": "Ines Roth", "email": "ines@shop.example", "email_verified": True, "groups": ["support", "all"]},
    "lena": {"name": "Lena Brandt", "email": "lena@shop.example", "email_verified": True, "groups": ["leads"]},
    "guest": {"name": "A Guest", "email": "guest@elsewhere.example", "email_verified": True, "groups": ["all"]},
}
CONFIG = """
[sign_in]
password = "{password}"
[sign_in.oidc]
issuer = "{issuer}"
client_id = "understudy"
client_secret = "a secret of both"
scopes = ["profile", "email", "groups"]
role_claim = "groups"
roles = {{ leads = "lead", support = "reviewer" }}
timeout_s = 5
{more}
"""


class Provider:
    """The provider's process, and what a test tells it."""

    def __init__(self, node: str) -> None:
        self._back_to: list[str] = []
        client = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": ["http://127.0.0.1:9/none"]}
        told = json.dumps({"accounts": ACCOUNTS, "client": client})
        self.process = subprocess.Popen(
            [node, "provider.js", told],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the provider does not start"
        self.issuer = str(json.loads(line)["issuer"])

    def config(self, *, password: str = "all", more: str = "") -> str:
        """What a server needs in its configuration to know this provider."""
        return CONFIG.format(issuer=self.issuer, password=password, more=more)

    def expect(self, *servers: Any) -> None:
        """Let browsers come back to these servers, too."""
        self._back_to += [f"{server.url}/v1/session/oidc/callback" for server in servers]
        self._order("redirects", self._back_to)

    def replace_keys(self) -> None:
        self._order("keys", None)

    def know(self, login: str, **claims: Any) -> None:
        """Somebody, or somebody with other claims."""
        self._order("accounts", {login: claims})

    def lie(self, **claims: Any) -> None:
        """Say something else in tokens from now on; `by="nobody"` or `by="another"`: sign them by another key."""
        self._order("lies", claims)

    def tell_the_truth(self) -> None:
        self._order("lies", None)

    def _order(self, what: str, value: Any) -> None:
        params = {} if value is None else {"value": json.dumps(value)}
        assert httpx2.get(f"{self.issuer}/test/{what}", params=params).text == "done"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def as_browser(client: httpx2.Client, answer: httpx2.Response, login: str, *, until: str) -> httpx2.Response:
    """Go where a browser goes from an answer, filling in the provider's forms, until it is sent to an address so named.

    Returns the answer that sends it there.
    """
    for _ in range(20):
        if answer.is_redirect:
            to = urljoin(str(answer.url), answer.headers["location"])
            if until in to:
                return answer
            answer = client.get(to)
            continue
        form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        assert form is not None, answer.text[:2_000]
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
        fields = hidden | ({"login": login, "password": "any"} if 'name="login"' in answer.text else {})
        answer = client.post(urljoin(str(answer.url), unescape(form[1])), data=fields)
    raise AssertionError(f"20 pages, and never at {until}")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if node is None or not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        missing = (
            "no Node" if node is None else "tests/provider/node_modules is missing: `npm ci` there, or `./dev test`"
        )
        assert not os.environ.get("CI"), missing
        pytest.skip(f"the identity provider cannot be started: {missing}")
    started = Provider(node)
    yield started
    started.stop()
