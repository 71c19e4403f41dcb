"""docs/reference/draft.schema.json is what the code reads. Write it anew by running this file as a program."""

from __future__ import annotations

import json
from pathlib import Path

from understudy.records.wire import DraftIn, parse_draft

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "reference" / "draft.schema.json"
PAGE = ROOT / "docs" / "reference" / "draft.md"


def schema_text() -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **DraftIn.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def test_schema_file_is_what_the_code_reads() -> None:
    command = f"python {Path(__file__).relative_to(ROOT)}"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), f"write it anew: {command}"


def test_every_field_of_a_draft_is_on_its_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    definitions = [DraftIn.model_json_schema(), *DraftIn.model_json_schema()["$defs"].values()]
    fields = {field for definition in definitions for field in definition["properties"]}
    assert not {field for field in fields if f"`{field}`" not in page}


def test_example_answer_on_the_page_is_a_draft() -> None:
    examples = PAGE.read_text(encoding="utf-8").split("```json\n")[1:]
    answers = [text for text in (example.split("```")[0] for example in examples) if '"sources"' in text]
    assert answers
    for answer in answers:
        assert parse_draft(answer, agent="shop").sources


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
