"""Who may come in by an identity provider, and as what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.access import Role, user_id
from understudy.records.admission import ID_CHARS_MAX, AdmissionTerms, Admitted, Refusal, admit, claim_at

TERMS = AdmissionTerms(
    name_claim="name",
    role_claim="groups",
    roles=(("leads", Role.LEAD), ("support", Role.REVIEWER)),
    default_role=None,
    email_domains=frozenset(),
)
INES = {"name": "Ines Roth", "groups": ["support"], "email": "ines@shop.example", "email_verified": True}


def admitted(terms: AdmissionTerms = TERMS, **claims: Any) -> Admitted | Refusal:
    return admit(INES | claims, terms)


def test_first_line_that_somebody_has_is_their_role() -> None:
    assert admitted(groups=["support", "leads"]) == Admitted(
        name="Ines Roth", role=Role.LEAD, email="ines@shop.example"
    )
    assert admitted(groups="support") == replace(admitted(), role=Role.REVIEWER)


@pytest.mark.parametrize("groups", [None, [], {}, 7, ["all"], [["leads"]], "supporters", {"leads": True}])
def test_who_has_none_of_the_roles_stays_out_unless_there_is_one_for_everybody(groups: Any) -> None:
    assert admitted(groups=groups) is Refusal.NO_ROLE
    everybody = admitted(replace(TERMS, default_role=Role.VIEWER), groups=groups)
    assert isinstance(everybody, Admitted)
    assert everybody.role is Role.VIEWER


@pytest.mark.parametrize(
    ("claims", "lets_in"),
    [
        ({}, True),
        ({"email": "ines@SHOP.example"}, True),
        ({"email": "ines@sub.shop.example"}, False),
        ({"email": "ines@shop.example.evil.example"}, False),
        ({"email": "x@evil.example@shop.example"}, False),
        ({"email_verified": False}, False),
        ({"email_verified": "false"}, False),
        ({"email_verified": None}, False),
        ({"email": None}, False),
    ],
)
def test_only_verified_addresses_of_the_domains_count(claims: dict[str, Any], lets_in: bool) -> None:
    found = admitted(replace(TERMS, email_domains=frozenset({"shop.example"})), **claims)
    assert isinstance(found, Admitted) == lets_in
    assert lets_in or found is Refusal.OTHER_DOMAIN


def test_name_falls_back_to_what_else_is_known() -> None:
    said = {"name": "\x00\u202e", "preferred_username": " ines  roth\n", "email": "ines@shop.example"}
    names = []
    for left_out in (None, "preferred_username", "email"):
        if left_out is not None:
            del said[left_out]
        found = admit({"groups": ["support"], **said}, TERMS)
        names.append(found.name if isinstance(found, Admitted) else found)
    assert names == ["ines roth", "ines@shop.example", Refusal.NO_NAME]


def test_claim_is_found_by_its_name_or_by_a_path() -> None:
    claims = {"realm_access": {"roles": ["a"]}, "https://shop.example/roles": ["b"], "x.y": 1, "x": {"y": 2}}
    assert claim_at(claims, "realm_access.roles") == ["a"]
    assert claim_at(claims, "https://shop.example/roles") == ["b"]
    assert claim_at(claims, "x.y") == 1
    assert claim_at(claims, "x.z.w") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CLAIMS = st.dictionaries(st.sampled_from([*INES, "preferred_username", "groups"]), json_values)


@given(claims=CLAIMS)
def test_whatever_a_provider_says_is_a_name_that_can_be_kept_or_a_refusal(claims: dict[str, Any]) -> None:
    found = admit(claims, replace(TERMS, default_role=Role.VIEWER))
    if isinstance(found, Admitted):
        assert found.names(), "there is room for a name"
        for name in found.names():
            assert name.isprintable()
            assert name == " ".join(name.split())
            assert 0 < max(len(name), len(user_id(name))) <= ID_CHARS_MAX
