"""What somebody can get wrong at the command line or in the configuration: exit 3, one message, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from understudy import __version__


def test_module_can_be_run(tmp_path: Path, understudy: Any) -> None:
    ended = understudy("--version", cwd=tmp_path)
    assert (ended.code, ended.out.strip()) == (0, f"understudy {__version__}")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port", "many"], "--port"),
        (["serve", "--port", "70000"], "65535"),
        (["check"], "file"),
        (["check", "--nonsense"], "--nonsense"),
        (["keys", "nonsense"], "nonsense"),
        (["keys", "revoke"], "key_id"),
        (["demo", "--port", "-1"], "--port"),
        (["audit", "verify", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_named(words: list[str], named: str, tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here(*words, cwd=tmp_path)
    assert ended.code == 3
    assert named in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    "command", [["serve"], ["keys", "list"], ["audit", "verify"], ["check", "x", "-c", "gone.toml"]]
)
def test_missing_configuration_is_named(command: list[str], tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here(*command, cwd=tmp_path)
    assert ended.code == 3
    assert "understudy init" in ended.err


CONFIGURATIONS: dict[str, tuple[str, list[str]]] = {
    "unknown key": ('[business]\nnmae = "x"', ["business.nmae", "'name'"]),
    "unknown section": ('[bussiness]\nname = "x"', ["bussiness", "'business'"]),
    "unknown key of an agent": ('[agents.a]\nkind = "faq"\nknowlege = "k"', ["agents.a.knowlege", "'knowledge'"]),
    "unknown kind": ('[agents.a]\nkind = "oracle"', ["agents.a", "oracle", "faq"]),
    "value out of range": ("[server]\nport = 99999", ["server.port", "65535", "99999"]),
    "wrong type": ('[limits]\nbacklog_max = "many"', ["limits.backlog_max", "many"]),
    "no TOML": ("[business\n", ["is not TOML", "line 1"]),
    "not UTF-8": ("\udcff", ["cannot be read"]),
    "missing knowledge": ('[agents.a]\nkind = "faq"\nknowledge = "gone"', ["'a'", "gone"]),
    "empty knowledge": ('[agents.a]\nkind = "faq"\nknowledge = "empty"', ["'a'", "empty"]),
    "unknown agent": ('[drafting]\nagent = "b"', ["drafting.agent", "'b'"]),
    "unknown safe reply": (
        '[review]\non_expiry = "safe_reply"\nexpiry_reply = "gone"',
        ["review.expiry_reply", "'gone'"],
    ),
    "webhook without secret": ('[channels.w]\nkind = "webhook"\nurl = "http://x/"', ["'w'", "secret"]),
    "webhook with a bad secret": (
        '[channels.w]\nkind = "webhook"\nurl = "http://x/"\nsecrets = ["whsec_?"]',
        ["'w'", "secret 1"],
    ),
    "reserved channel": ('[channels.api]\nkind = "webchat"', ["channels.api"]),
    "unknown Python target": ('[agents.a]\nkind = "python"\ntarget = "gone:f"', ["'a'", "gone"]),
    "unknown database": ('[store]\nurl = "oracle://me:s3cret@x"', ["store.url", "oracle"]),
    "no database URL": ('[store]\nurl = "me:s3cret@x"', ["store.url"]),
    "database that does not answer": (
        '[store]\nurl = "postgresql://me:s3cret@127.0.0.1:9/x"',
        ["store.url", "127.0.0.1:9", "understudy doctor"],
    ),
    "folder in the place of a database": ('[store]\nurl = "sqlite:///empty"', ["store.url", "empty"]),
    "another file in the place of a database": ('[store]\nurl = "sqlite:///understudy.toml"', ["not a database"]),
    "database in memory": ('[store]\nurl = "sqlite:///:memory:"', ["store.url", "memory"]),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_configuration_is_refused_for(case: str, tmp_path: Path, understudy_here: Any) -> None:
    text, named = CONFIGURATIONS[case]
    (tmp_path / "empty").mkdir()
    (tmp_path / "understudy.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    ended = understudy_here("serve", "--port", "0", cwd=tmp_path)
    assert ended.code == 3, ended.err
    assert [word for word in named if word not in ended.err] == [], ended.err
    assert "s3cret" not in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ({"UNDERSTUDY__SERVER__PROT": "1"}, ["server.prot", "'port'"]),
        ({"UNDERSTUDY__SERVER__PORT": "x"}, ["server.port"]),
        ({"UNDERSTUDY__AGENTS__A__API_KEY_FILE": "/gone"}, ["UNDERSTUDY__AGENTS__A__API_KEY_FILE", "/gone"]),
    ],
)
def test_environment_is_refused(
    variable: dict[str, str], named: list[str], tmp_path: Path, understudy_here: Any
) -> None:
    (tmp_path / "understudy.toml").write_text("")
    ended = understudy_here("serve", "--port", "0", cwd=tmp_path, env=variable)
    assert ended.code == 3
    assert [word for word in named if word not in ended.err] == [], ended.err


def test_every_wrong_key_is_named_at_once(tmp_path: Path, understudy_here: Any) -> None:
    (tmp_path / "understudy.toml").write_text("[server]\nprot = 1\nhots = 2\n")
    ended = understudy_here("serve", cwd=tmp_path)
    assert "2 problem(s)" in ended.err
    assert "server.prot" in ended.err
    assert "server.hots" in ended.err


def test_secret_is_not_shown_where_a_configuration_is_refused(tmp_path: Path, understudy_here: Any) -> None:
    secret = "whsec_" + "S3cr3t" * 4 + "?"
    config = f'[channels.w]\nkind = "webhook"\nurl = 7\nsecrets = ["{secret}"]\n[agents.a]\nkind = "http"\nurl = 7\ntoken = 12345678\n'
    (tmp_path / "understudy.toml").write_text(config)
    ended = understudy_here("serve", cwd=tmp_path)
    assert ended.code == 3
    assert "S3cr3t" not in ended.err
    assert "12345678" not in ended.err


@pytest.mark.parametrize("words", [("audit", "verify"), ("audit", "export", "turns")])
def test_where_there_is_no_database_none_is_made_to_be_called_intact(
    words: tuple[str, ...], tmp_path: Path, understudy: Any
) -> None:
    """As between a move to another database and the line of the configuration that names it."""
    (tmp_path / "understudy.toml").write_text("", encoding="utf-8")
    ended = understudy(*words, cwd=tmp_path)
    assert ended.code == 3
    assert f"there is no database {tmp_path / 'understudy-data' / 'understudy.db'}" in ended.err
    assert not (tmp_path / "understudy-data").exists()
