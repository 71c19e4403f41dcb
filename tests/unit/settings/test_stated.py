"""Which versions a configuration states: by content, files by what is in them, without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.errors import ConfigurationError
from understudy.records.release import Stated
from understudy.settings.asked import agents_asked
from understudy.settings.load import load
from understudy.settings.model import Settings
from understudy.settings.stated import agent_of, by_agent, stated

MODEL = """
[agents.shop]
kind = "chat_completions"
base_url = "http://{user}127.0.0.1:1/v1"
model = "{model}"
system_prompt = "{prompt}"
{more}
"""
FAQ = """
[agents.faq]
kind = "faq"
knowledge = "knowledge"
{more}
"""


def read(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    (folder / "understudy.toml").write_text(text, encoding="utf-8")
    return load(folder / "understudy.toml", environment or {})


def of(folder: Path, text: str, name: str = "shop", environment: dict[str, str] | None = None) -> Stated:
    return stated(read(folder, text, environment), folder)[name]


def model(folder: Path, environment: dict[str, str] | None = None, **fields: str) -> Stated:
    given = {"user": "", "model": "m-1", "prompt": "Be brief.", "more": ""}
    return of(folder, MODEL.format(**{**given, **fields}), environment=environment)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"model": "m-2"}, "model"),
        ({"prompt": "Be briefer."}, "prompt"),
        ({"more": 'version = "v2"'}, "settings"),
        ({"more": 'headers = { "X-Tools" = "a" }'}, "settings"),
    ],
)
def test_a_change_of_what_drafts_is_another_release(tmp_path: Path, fields: dict[str, str], part: str) -> None:
    before, after = model(tmp_path), model(tmp_path, **fields)
    assert before.id != after.id
    digests = {one.name: one.digest for one in before.parts}
    assert [one.name for one in after.parts if digests[one.name] != one.digest] == [part]


@pytest.mark.parametrize(
    "fields",
    [
        {"more": 'api_key = "k-1"'},
        {"user": "me:secret@"},
        {"more": "at_once_max = 3\nper_minute_max = 9"},
        {"more": "honours_rehearsal = true"},
    ],
)
def test_secrets_and_limits_belong_to_no_release(tmp_path: Path, fields: dict[str, str]) -> None:
    assert model(tmp_path).id == model(tmp_path, **fields).id


def test_no_secret_is_shown_in_words(tmp_path: Path) -> None:
    more = 'api_key = "k-secret"\nheaders = { "X-Key" = "h-secret" }'
    found = model(tmp_path, user="me:p-secret@", more=more)
    assert "secret" not in repr(found)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_files_are_named_by_what_is_in_them(tmp_path: Path) -> None:
    write(tmp_path, "knowledge/a.md", "# A\n\nOne.")
    before = of(tmp_path, FAQ.format(more=""), "faq")
    write(tmp_path, "knowledge/.hidden", "x")
    write(tmp_path, "knowledge/__pycache__/x.pyc", "x")
    assert of(tmp_path, FAQ.format(more=""), "faq").id == before.id
    write(tmp_path, "knowledge/a.md", "# A\n\nTwo.")
    changed = of(tmp_path, FAQ.format(more=""), "faq")
    assert changed.id != before.id
    write(tmp_path, "knowledge/b.md", "# B\n\nMore.")
    assert of(tmp_path, FAQ.format(more=""), "faq").id != changed.id


def test_further_files_belong_to_a_version(tmp_path: Path) -> None:
    write(tmp_path, "prompts/tools.json", "[]")
    before = model(tmp_path, more='files = ["prompts"]')
    assert before.id != model(tmp_path).id
    write(tmp_path, "prompts/tools.json", '["refund"]')
    assert model(tmp_path, more='files = ["prompts"]').id != before.id
    with pytest.raises(ConfigurationError, match=r"agents\.shop\.files.*nothing"):
        model(tmp_path, more='files = ["nothing"]')


def test_a_python_function_is_named_by_its_source(tmp_path: Path) -> None:
    text = '[agents.shop]\nkind = "python"\ntarget = "mine:draft"\n'
    write(tmp_path, "mine.py", "def draft(request): return 'a'")
    before = of(tmp_path, text)
    write(tmp_path, "mine.py", "def draft(request): return 'b'")
    assert of(tmp_path, text).id != before.id
    assert before.may_act
    assert not before.can_rehearse
    assert of(tmp_path, text + "honours_rehearsal = true").can_rehearse


SECOND = MODEL + '[agents.shop-2]\nkind = "chat_completions"\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m-2"\n'


def test_a_version_of_an_agent_is_asked_by_nobody_of_itself(tmp_path: Path) -> None:
    text = SECOND.format(user="", model="m-1", prompt="", more="") + 'release_of = "shop"\n'
    settings = read(tmp_path, text)
    names = {name: name for name in settings.agents}
    assert agents_asked(settings, names) == {"": ("shop",)}
    versions = by_agent(stated(settings, tmp_path))
    assert [one.entry for one in versions["shop"]] == ["shop", "shop-2"]
    for section in ('[drafting]\nagent = "shop-2"\n', '[drafting]\nfallback = "shop-2"\n'):
        with pytest.raises(ConfigurationError, match="there is no agent 'shop-2'"):
            agents_asked(read(tmp_path, text + section), names)


@pytest.mark.parametrize("wanted", ["nobody", "shop-2"])
def test_a_version_of_nothing_is_told(tmp_path: Path, wanted: str) -> None:
    text = SECOND.format(user="", model="m-1", prompt="", more="") + f'release_of = "{wanted}"\n'
    with pytest.raises(ConfigurationError, match=rf"shop-2\.release_of: there is no agent '{wanted}'"):
        agent_of("shop-2", read(tmp_path, text))


def test_the_same_content_under_two_names_of_one_agent_is_one_release(tmp_path: Path) -> None:
    text = SECOND.format(user="", model="m-2", prompt="", more="") + 'release_of = "shop"\n'
    found = stated(read(tmp_path, text), tmp_path)
    assert found["shop"].id == found["shop-2"].id
