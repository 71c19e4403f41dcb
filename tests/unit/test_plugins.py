"""Checks of other packages run where the configuration names them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.assessment.assess import assess
from understudy.assessment.checks import CHECKS
from understudy.errors import ConfigurationError
from understudy.plugins import checks_of, installed_checks
from understudy.records.assessment import DecisionKind
from understudy.records.rulebook import Grant, Level, Rulebook, Rules
from understudy.settings.model import CheckSettings, Settings
from understudy.testing.turns import example_turn

MODULE = """
from understudy.assessment.check import Code, examination
from understudy.records.assessment import Severity

SHOUTS = Code(check="tone", code="shouts", severity=Severity.MAJOR, explanation="The draft is in capitals.")

class ToneCheck:
    name = "tone"
    words = "the tone is rough"
    needs_draft = True

    def examine(self, evidence, draft, rules):
        return examination([SHOUTS.found()] if draft.text.isupper() else [])

class Misnamed(ToneCheck):
    name = "other"

class Broken(ToneCheck):
    def examine(self, evidence, draft, rules):
        raise RuntimeError("no")

NOTHING = object()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip would leave it, that offers four checks."""
    (tmp_path / "tone_of_voice.py").write_text(MODULE)
    info = tmp_path / "tone_of_voice-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tone-of-voice\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[understudy.checks]\ntone = tone_of_voice:ToneCheck\nmisnamed = tone_of_voice:Misnamed\n"
        "broken = tone_of_voice:Gone\nnothing = tone_of_voice:NOTHING\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def with_checks(**checks: CheckSettings) -> Settings:
    return Settings(checks=checks)


@pytest.mark.usefixtures("package")
def test_installed_check_does_not_run_unless_named() -> None:
    assert "tone" in installed_checks()
    assert checks_of(Settings()) == CHECKS


@pytest.mark.usefixtures("package")
def test_named_check_runs_behind_the_built_in_ones() -> None:
    checks = checks_of(with_checks(tone=CheckSettings()))
    assert [check.name for check in checks] == [*(check.name for check in CHECKS), "tone"]
    assessment = assess(example_turn(draft="IT IS ON ITS WAY."), Rulebook(id="r", rules=Rules()), checks=checks)
    assert "tone.shouts" in [finding.name for finding in assessment.findings]
    assert "tone" in [signal.check for signal in assessment.signals]


@pytest.mark.usefixtures("package")
def test_check_that_is_switched_off_is_not_loaded() -> None:
    assert checks_of(with_checks(broken=CheckSettings(enabled=False))) == CHECKS


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tune", "did you mean 'tone'"),
        ("broken", "cannot be loaded"),
        ("nothing", "is no check"),
        ("misnamed", "calls itself 'other'"),
    ],
)
def test_name_without_a_check_is_a_configuration_error(name: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        checks_of(with_checks(**{name: CheckSettings()}))


@pytest.mark.usefixtures("package")
def test_check_of_another_package_that_breaks_holds_the_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    import tone_of_voice  # type: ignore[import-not-found]

    rules = Rules(grants=(Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.5),))
    good = assess(example_turn(), Rulebook(id="r", rules=rules), checks=(*CHECKS, tone_of_voice.ToneCheck()))
    bad = assess(example_turn(), Rulebook(id="r", rules=rules), checks=(*CHECKS, tone_of_voice.Broken()))
    assert (good.decision.kind, bad.decision.kind) == (DecisionKind.DELIVER, DecisionKind.HOLD)
