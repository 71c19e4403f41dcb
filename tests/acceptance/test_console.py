"""The console's files as the server gives them: what a browser may do with them, and what is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from understudy.web import console
from understudy.web.console import is_built

built = pytest.mark.skipif(not is_built(), reason="the console is not built; `./dev setup` builds it")


@built
def test_page_lets_in_nothing_but_files_of_this_server(served: Any) -> None:
    answer = served.http().get("/console/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", answer.text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", answer.text)


@built
def test_every_file_of_the_page_is_there_and_small_enough(served: Any) -> None:
    page = served.http().get("/console/")
    names = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(names) >= 3
    for name in names:
        answer = served.http().get(f"{served.url}{name}" if name.startswith("/") else f"/console/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["x-content-type-options"] == "nosniff"
        kept = "immutable" in answer.headers["cache-control"]
        assert kept == ("/assets/" in name)


@built
def test_scripts_of_queue_and_review_fit_into_80_kb(served: Any) -> None:
    page = served.http().get("/console/").text
    scripts = [served.http().get(name) for name in re.findall(r"src=\"(/console/assets/[^\"]+\.js)\"", page)]
    assert {script.headers["content-encoding"] for script in scripts} == {"gzip"}
    assert sum(int(script.headers["content-length"]) for script in scripts) <= 80_000


def test_address_without_its_slash_leads_to_the_page(served: Any) -> None:
    answer = served.http().get("/console", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/console/")


@pytest.mark.parametrize(
    "path", ["nothing.js", "stamp", "assets/nothing.js", "assets/..%2f..%2fconsole.py", "..%2fchat.py", "assets/%00.js"]
)
def test_there_is_nothing_else(path: str, served: Any) -> None:
    answer = served.http().get(f"/console/{path}")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_package_without_the_console_says_so(served: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PAGE", tmp_path)
    answer = served.http().get("/console/")
    assert answer.status_code == 404
    assert "UNDERSTUDY_SKIP_CONSOLE" in answer.json()["detail"]
