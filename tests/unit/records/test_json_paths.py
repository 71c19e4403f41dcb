"""JSON paths find what stands in data, and nothing in what only looks like it."""

from __future__ import annotations

import pytest

from understudy.records.json_paths import found


@pytest.mark.parametrize("data", ["[", '{"id": 1}', "", 7, None, True])
def test_text_is_no_json_in_which_something_could_be_found(data: object) -> None:
    assert found("$.id", data) == []
    assert found("$", data) == [data]
