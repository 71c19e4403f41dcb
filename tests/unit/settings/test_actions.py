"""Declared actions: what is said of a wrong one, and what decisions get of a right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.doctor.actions import actions
from understudy.errors import ConfigurationError
from understudy.records.action_rules import ActionLimits
from understudy.settings.load import load
from understudy.settings.model import Settings

REFUND = """
[actions.refund]
amount = "$.amount"
reversibility = "compensable"
limits = { amount_max = 99.99, day_count_max = 5 }
arguments = { properties = { order = { type = "string" }, amount = { type = "number" } } }
call = { url = "https://shop.example/orders/{order}/refunds", honours_keys = true, key_header = "Idempotency-Key" }
read_back = { url = "https://shop.example/refunds/{key}", is_done = "@.status == 200" }
"""


def loaded(folder: Path, text: str = REFUND) -> Settings:
    file = folder / "understudy.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {"UNDERSTUDY__ACTIONS__REFUND__CREDENTIALS__TOKEN": "s3cret"} if text == REFUND else {})


def test_a_declaration_is_what_decisions_depend_on(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    (rule,) = settings.actions.rules()
    assert (rule.name, rule.amount, rule.is_automatic) == ("refund", "$.amount", False)
    assert rule.limits == ActionLimits(amount=99_990_000, day_count=5)
    assert settings.actions.declared["refund"].credentials["token"].get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('amount = "$.amount"', 'amuont = "$.amount"', "actions.refund.amuont: unknown key, did you mean 'amount'?"),
        ('amount = "$.amount"', "", "limits on amounts need `amount`"),
        ('"compensable"', '"perhaps"', "actions.refund.reversibility"),
        ('"compensable"', '"irreversible"\nautomatic = true', "what is irreversible is never automatic"),
        ("{order}", "{ordre}", "{ordre} stands for nothing"),
        ('type = "string"', 'typ = "string"', "'typ' is not known here"),
        ("order = {", "key = { }, order = {", "this name is the action's own"),
        ("@.status == 200", "@.status = 200", "is no condition"),
        ("honours_keys = true", "honors_keys = true", "did you mean 'honours_keys'?"),
        ("[actions.refund]", "[actions.Refund-it]", "a name has small letters"),
        ("[actions.refund]", "[actions]\nattempt_max = 3\n[actions.refund]", "actions.attempt_max"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in REFUND
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, REFUND.replace(old, new, 1))
    assert said in refused.value.message


def test_what_is_automatic_needs_a_read_back(tmp_path: Path) -> None:
    text = "\n".join(line for line in REFUND.splitlines() if not line.startswith("read_back"))
    with pytest.raises(ConfigurationError, match="needs a read_back"):
        loaded(tmp_path, text.replace("amount =", "automatic = true\namount =", 1))


def test_doctor_says_what_an_action_cannot_promise(tmp_path: Path) -> None:
    (fine,) = actions(loaded(tmp_path))
    assert (fine.what, fine.state) == ("actions.refund", "ok")
    assert "once a reviewer lets it through" in fine.says
    text = "\n".join(line for line in REFUND.splitlines() if not line.startswith("read_back"))
    found = list(actions(loaded(tmp_path, text.replace("honours_keys = true", "honours_keys = false"))))
    assert {one.state for one in found} == {"warning"}
    assert any("waits for a person" in one.says for one in found)
    assert any("cannot be read back" in one.says for one in found)
    (broken,) = actions(
        loaded(tmp_path, REFUND.replace("https://shop.example/orders/{order}", "https://{order}.example"))
    )
    assert broken.state == "error"
    assert "chosen by what the action is given" in broken.says
