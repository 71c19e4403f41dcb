"""`understudy channels send-test`, `channels show` and what `doctor` says of channels over REST interfaces."""

from __future__ import annotations

import json
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer as HTTPServerOfPython
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from understudy.records.rest import RestShape

OWN = """
[channels.parcel]
kind = "rest"
secrets = ["between-us"]
values = {{ base_url = "{url}" }}
signature = {{ token = "$.query.token" }}
{more}

[channels.parcel.inbound]
when = "@.message.words"
id = "$.message.no"
conversation = "$.message.no"
address = "$.message.by"
text = "$.message.words"

[channels.parcel.send]
url = "{{base_url}}/send/{{conversation}}"
template = {{ to = "{{to}}", words = "{{text}}", ref = "{{key}}" }}

[channels.parcel.answer]
provider_id = "$.body.no"

[channels.parcel.look_up]
method = "GET"
url = "{{base_url}}/sent?ref={{key}}"
body = "none"
answered = "@.body.sent"
items = "$.body.sent[*]"
when = "@.item.ref == @.entry.key"

[channels.parcel.probe]
method = "GET"
url = "{{base_url}}/me"
body = "none"

[channels.hooked]
kind = "webhook"
url = "{url}/hook"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
"""


@pytest.fixture
def folder(tmp_path: Path, httpserver: HTTPServer) -> Path:
    url = httpserver.url_for("").rstrip("/")
    (tmp_path / "understudy.toml").write_text(OWN.format(url=url, more=""), encoding="utf-8")
    return tmp_path


def test_a_test_message_is_sent_and_says_what_became_of_it(
    folder: Path, httpserver: HTTPServer, understudy_here: Any
) -> None:
    httpserver.expect_request("/send/p-1").respond_with_json({"no": "r-1"})
    ended = understudy_here(
        "channels", "send-test", "parcel", "--to", "+4930", "--conversation", "p-1", "--json", cwd=folder
    )
    told = ended.json()
    assert (ended.code, told["outcome"], told["provider_id"], told["reason"]) == (0, "accepted", "r-1", None)
    request, _ = httpserver.log[0]
    assert request.json == {
        "to": "+4930",
        "words": "This is a test of Understudy. Nothing needs to be done.",
        "ref": told["key"],
    }
    ended = understudy_here("channels", "send-test", "parcel", "--to", "1", "--conversation", "p-1", cwd=folder)
    assert "accepted: parcel took it as r-1" in ended.out


def test_a_test_message_that_is_refused_is_a_failure(
    folder: Path, httpserver: HTTPServer, understudy_here: Any
) -> None:
    httpserver.expect_request("/send/1").respond_with_data("", 403)
    ended = understudy_here("channels", "send-test", "parcel", "--to", "1", cwd=folder)
    assert ended.code == 1
    assert "rejected:" in ended.err
    assert "403" in ended.err


@pytest.mark.parametrize(
    ("found", "code", "outcome"), [([], 1, "retry"), (None, 2, "unknown"), ("the key", 0, "accepted")]
)
def test_a_test_message_of_unknown_outcome_is_looked_up(
    found: Any, code: int, outcome: str, folder: Path, httpserver: HTTPServer, understudy_here: Any
) -> None:
    httpserver.expect_request("/send/1").respond_with_data("", 502)

    def look_up(request: Any) -> Any:
        sent = [{"ref": request.args["ref"]}] if found == "the key" else found
        return Response(json.dumps({} if sent is None else {"sent": sent}), 200)

    httpserver.expect_request("/sent").respond_with_handler(look_up)
    ended = understudy_here("channels", "send-test", "parcel", "--to", "1", "--json", cwd=folder)
    assert (ended.code, ended.json()["outcome"]) == (code, outcome)


def test_a_channel_that_is_none_is_named_with_those_there_are(folder: Path, understudy_here: Any) -> None:
    ended = understudy_here("channels", "send-test", "fax", "--to", "1", cwd=folder)
    assert ended.code == 3
    assert "no channel 'fax'; configured: hooked, parcel" in ended.err


def test_a_shipped_description_is_printed_and_is_one(tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here("channels", "show", "slack", cwd=tmp_path)
    assert ended.code == 0
    assert RestShape.model_validate(tomllib.loads(ended.out)).signature is not None
    ended = understudy_here("channels", "show", "fax", cwd=tmp_path)
    assert ended.code == 3
    assert "there are chatwoot, intercom" in ended.err


def doctor(understudy_here: Any, folder: Path) -> dict[str, tuple[str, str]]:
    ended = understudy_here("doctor", "--json", cwd=folder)
    return {one["what"]: (one["state"], one["says"]) for one in ended.json()["results"]}


def test_doctor_says_whether_the_provider_lets_us_in(
    folder: Path, httpserver: HTTPServer, understudy_here: Any
) -> None:
    httpserver.expect_oneshot_request("/me").respond_with_json({})
    told = doctor(understudy_here, folder)
    assert told["channels.parcel"] == ("ok", "rest: a send of unknown outcome is looked up")
    state, says = told["channels.parcel provider"]
    assert (state, says.endswith("lets this channel in")) == ("ok", True)
    httpserver.expect_oneshot_request("/me").respond_with_json({}, 401)
    state, says = doctor(understudy_here, folder)["channels.parcel provider"]
    assert state == "error"
    assert "401" in says


@pytest.mark.parametrize(("off_s", "word"), [(300, "behind"), (-300, "ahead")])
def test_doctor_notices_a_clock_that_is_off(off_s: int, word: str, tmp_path: Path, understudy_here: Any) -> None:
    class OtherTime(BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) + timedelta(seconds=off_s), usegmt=True)

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    with HTTPServerOfPython(("127.0.0.1", 0), OtherTime) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        (tmp_path / "understudy.toml").write_text(OWN.format(url=url, more=""), encoding="utf-8")
        state, says = doctor(understudy_here, tmp_path)["channels.parcel provider"]
        server.shutdown()
    assert state == "warning"
    assert word in says


def test_doctor_shows_an_open_door_and_a_bad_description_in_red(
    folder: Path, httpserver: HTTPServer, understudy_here: Any
) -> None:
    httpserver.expect_request("/me").respond_with_json({})
    config = folder / "understudy.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('secrets = ["between-us"]', "insecure = true"), encoding="utf-8")
    assert doctor(understudy_here, folder)["channels.parcel"][0] == "error"
    config.write_text(text.replace('secrets = ["between-us"]', ""), encoding="utf-8")
    state, says = doctor(understudy_here, folder)["channels.parcel"]
    assert (state, "has no secret" in says) == ("error", True)
    config.write_text(text.replace('when = "@.message.words"', 'when = "@.message.words =="'), encoding="utf-8")
    state, says = doctor(understudy_here, folder)["configuration"]
    assert state == "error"
    assert "channels.parcel.inbound.when" in says
    assert "is no condition" in says
