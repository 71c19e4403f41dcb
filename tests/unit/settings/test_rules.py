"""The settings as a rulebook: the same settings are the same rulebook by name, and any other rule is another."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from understudy.records.codec import digest, dump
from understudy.records.rulebook import Level
from understudy.settings.load import load
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

SECTIONS = [
    '[business]\nname = "Acme"\nfacts = ["We ship on Mondays."]\n',
    '[[autonomy.grants]]\ntopic = "orders"\nlevel = "auto"\nthreshold = 0.8\n',
    '[safe_replies.sorry]\ntext = "Sorry."\n',
    '[safe_replies.notice]\ntext = "A colleague takes over."\nthen_hand_off = true\n',
    '[routing]\nhand_off_notice = "notice"\ndegrade_on = { "quality.does_not_know" = "sorry", agent_failed = "notice" }\n',
    '[checks.grounding]\nweight = 5\n[checks.policy]\non_failure = "ignore"\n',
]


def settings_of(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "understudy.toml"
    path.write_text(text)
    return load(path, {})


def test_a_rulebook_is_named_by_its_content(tmp_path: Path) -> None:
    rulebook = rulebook_of(settings_of(tmp_path, "".join(SECTIONS)))
    assert rulebook.id == digest(dump(rulebook.rules))


def test_the_settings_reach_the_rules(tmp_path: Path) -> None:
    rules = rulebook_of(settings_of(tmp_path, "".join(SECTIONS))).rules
    assert (rules.profile.name, rules.profile.facts) == ("Acme", ("We ship on Mondays.",))
    assert (rules.grants[0].topic, rules.grants[0].channel, rules.grants[0].level) == ("orders", "*", Level.AUTO)
    assert dict(rules.degrade_on) == {"agent_failed": "notice", "quality.does_not_know": "sorry"}
    assert {policy.check: (policy.weight, policy.on_failure) for policy in rules.checks} == {
        "grounding": (5.0, "hold"),
        "policy": (None, "ignore"),
    }
    assert {reply.id: reply.then_hand_off for reply in rules.safe_replies} == {"sorry": False, "notice": True}


def test_the_same_settings_in_any_order_are_the_same_rulebook(tmp_path: Path) -> None:
    ids = {
        rulebook_of(settings_of(tmp_path, "".join(sections))).id
        for sections in itertools.islice(itertools.permutations(SECTIONS), 0, None, 37)
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("environment", "changes"),
    [
        ({"UNDERSTUDY__BUSINESS__NAME": "Other"}, True),
        ({"UNDERSTUDY__AUTONOMY__AUDIT_RATE": "0.5"}, True),
        ({"UNDERSTUDY__AUTONOMY__NEVER_AUTO": '["legal"]'}, True),
        ({"UNDERSTUDY__SERVER__PORT": "1"}, False),
        ({"UNDERSTUDY__OUTBOX__ATTEMPTS_MAX": "3"}, False),
        ({"UNDERSTUDY__TELEMETRY__LOG_LEVEL": "DEBUG"}, False),
    ],
)
def test_a_rulebook_changes_exactly_with_what_decisions_depend_on(
    tmp_path: Path, environment: dict[str, str], changes: bool
) -> None:
    path = tmp_path / "understudy.toml"
    path.write_text("".join(SECTIONS))
    assert (rulebook_of(load(path, environment)).id != rulebook_of(load(path, {})).id) == changes


def test_the_order_of_grants_is_part_of_the_rulebook(tmp_path: Path) -> None:
    grants = ['[[autonomy.grants]]\nlevel = "auto"\n', '[[autonomy.grants]]\ntopic = "x"\nlevel = "assist"\n']
    ids = [rulebook_of(settings_of(tmp_path, "".join(order))).id for order in (grants, grants[::-1])]
    assert ids[0] != ids[1]


def test_rules_that_name_a_missing_safe_reply_are_refused(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[routing]\nhand_off_notice = "gone"\n')
    with pytest.raises(ValueError, match="safe reply 'gone'"):
        rulebook_of(settings)
