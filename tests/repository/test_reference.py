"""docs/reference/ says what the code says. Run this file as a program to write docs/reference/openapi.json anew.

Tables between cog marks are kept by `./dev check` (recipe `fresh`); here stands what cog cannot see: that nothing is
missing, that hand-written tables agree with the source, and that examples are what they claim to be.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import typer
from pydantic import BaseModel

from understudy import errors
from understudy.app import build
from understudy.assessment.assess import assess
from understudy.assessment.checks import CHECKS
from understudy.assessment.decision import TABLE
from understudy.assessment.recorded import evidence_of
from understudy.cli.main import tree
from understudy.records.access import Scope
from understudy.records.assessment import Span
from understudy.records.wire import MessageIn, TurnRecord, VerdictIn, parse_turn_record
from understudy.settings.load import load
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of
from understudy.web.asgi import create

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
SOURCE = ROOT / "src" / "understudy"
OPENAPI = REFERENCE / "openapi.json"
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COG_CODE = re.compile(r"<!-- \[\[\[cog.*?\]\]\] -->", re.DOTALL)


@cache
def page(name: str) -> str:
    """A page as its readers see it, without the code that writes its tables."""
    return COG_CODE.sub("", (REFERENCE / name).read_text(encoding="utf-8"))


@cache
def product() -> tuple[dict[str, Any], frozenset[str]]:
    """The OpenAPI description and the names of all metrics of a server over an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        app = build(Settings(), Path(folder))
        try:
            openapi = create(app).openapi()
            metrics = frozenset(metric.name for metric in app.metrics.registry.collect())
        finally:
            app.store.close_now()
    return openapi, metrics


def openapi_text() -> str:
    return json.dumps(product()[0], indent=2, ensure_ascii=False) + "\n"


def fences(language: str) -> list[tuple[str, str]]:
    """The code blocks of one language in all pages as (page, text)."""
    return [
        (path.relative_to(ROOT).as_posix(), block)
        for path in sorted(DOCS.rglob("*.md"))
        for kind, block in FENCE.findall(path.read_text(encoding="utf-8"))
        if kind == language
    ]


# --- settings ---


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType) or get_args(annotation):
        for inner in get_args(annotation):
            yield from models_in(inner)


def keys_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Every setting as it stands in the file and whether the environment can name it; NAME stands for a name of yours."""
    for name, field in model.model_fields.items():
        inner = list(models_in(field.annotation))
        if not inner:
            yield ".".join((*path, name)), True
        elif get_origin(field.annotation) is list:
            yield ".".join((*path, name)), True
            yield from ((key, False) for table in inner for key in table.model_fields)
        else:
            below = (*path, name, "NAME") if get_origin(field.annotation) is dict else (*path, name)
            for section in inner:
                yield from keys_of(section, below)
    for named in models_in(
        model.__annotations__.get("__pydantic_extra__") and get_type_hints(model)["__pydantic_extra__"]
    ):
        yield from keys_of(named, (*path, "NAME"))


@pytest.mark.parametrize(("key", "is_settable"), sorted(set(keys_of(Settings))))
def test_setting_is_documented(key: str, is_settable: bool) -> None:
    assert f"| `{key}`" in page("settings.md")
    variable = "UNDERSTUDY__" + key.replace(".", "__").upper()
    assert not is_settable or f"`{variable}`" in page("settings.md")


def test_every_setting_says_what_it_does() -> None:
    rows = [line for line in page("settings.md").splitlines() if line.startswith("| `")]
    assert rows
    assert not [row for row in rows if not row.split("|")[-2].strip()]


def test_every_toml_example_can_be_loaded(tmp_path: Path) -> None:
    """A complete one through the settings; one that shows a part of something is TOML at least."""
    examples = fences("toml")
    assert examples
    for name, example in examples:
        tomllib.loads(example)
        file = tmp_path / "understudy.toml"
        file.write_text(example, encoding="utf-8")
        try:
            load(file, {})
        except errors.ConfigurationError as error:
            pytest.fail(f"{name}: {error.message}\n{example}")


def test_longer_example_of_the_settings_can_be_built(tmp_path: Path) -> None:
    *_, example = (text for name, text in fences("toml") if name.endswith("reference/settings.md"))
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "stores.md").write_text("# Opening hours\n\nFrom nine to five.\n", encoding="utf-8")
    (tmp_path / "understudy.toml").write_text(example, encoding="utf-8")
    build(load(tmp_path / "understudy.toml", {}), tmp_path).store.close_now()


# --- command line, endpoints, metrics ---


def commands(command: Any, path: tuple[str, ...] = ("understudy",)) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield " ".join(path), command
    for name, child in inner.items():
        yield from commands(child, (*path, name))


def test_every_command_and_option_is_documented() -> None:
    sections = {section.split("`")[1]: section for section in page("cli.md").split("\n## ") if section.startswith("`")}
    found = dict(commands(typer.main.get_command(tree)))
    assert {" ".join(word for word in usage.split() if word.islower()) for usage in sections} == set(found)
    for usage, section in sections.items():
        command = found[" ".join(word for word in usage.split() if word.islower())]
        for param in command.params:
            if getattr(param, "hidden", False):
                continue  # what one of our own processes tells another is no part of the command line
            words = param.opts if param.opts[0].startswith("-") else [param.name.upper()]
            assert all(f"`{word}`" in section for word in words), f"{usage}: {words}"


def test_every_scope_is_documented() -> None:
    for name in ("http-api.md", "cli.md"):
        assert not [scope.value for scope in Scope if f"`{scope.value}`" not in page(name)]


def test_every_endpoint_is_documented() -> None:
    openapi, _ = product()
    endpoints = {f"| `{method.upper()} {path}` |" for path, methods in openapi["paths"].items() for method in methods}
    assert not {endpoint for endpoint in endpoints if endpoint not in page("http-api.md")}


def test_every_endpoint_with_a_key_names_its_scope() -> None:
    openapi, _ = product()
    rows = {
        line.split("`")[1]: line.split("|")[2].strip() for line in page("http-api.md").splitlines() if line[:3] == "| `"
    }
    guarded = {
        f"{method.upper()} {path}"
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if operation.get("security")
    }
    assert guarded
    assert not {endpoint for endpoint in guarded if rows[endpoint] == "–"}


def test_openapi_file_is_what_the_server_says() -> None:
    command = f"python {Path(__file__).relative_to(ROOT)}"
    assert OPENAPI.read_text(encoding="utf-8") == openapi_text(), f"write it anew: {command}"


def test_every_metric_is_documented() -> None:
    _, metrics = product()
    documented = {
        name.removesuffix("_total") for name in re.findall(r"^\| `(understudy_\w+)`", page("metrics.md"), re.MULTILINE)
    }
    assert documented == metrics


def test_every_span_attribute_is_documented() -> None:
    tree_ = ast.parse((SOURCE / "adapters" / "telemetry" / "spans.py").read_text(encoding="utf-8"))
    strings = {node.value for node in ast.walk(tree_) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    names = {text for text in strings if re.fullmatch(r"(gen_ai|understudy|error)(\.\w+)+", text)}
    assert names
    assert not {name for name in names if f"`{name}`" not in page("metrics.md")}


# --- decisions ---


def test_every_rule_of_the_table_is_documented_in_order() -> None:
    rows = re.findall(r"^\| (\d+) \| ", page("decisions-and-levels.md"), re.MULTILINE)
    assert rows == [str(number) for number in range(1, len(TABLE) + 1)]


# --- examples ---


def test_every_json_example_is_json() -> None:
    examples = fences("json")
    assert examples
    for name, example in examples:
        try:
            json.loads(example)
        except ValueError as error:
            pytest.fail(f"{name}: {error}\n{example}")


def test_turn_records_on_the_page_are_turn_records() -> None:
    records = [parse_turn_record(text) for name, text in fences("json") if name.endswith("/turn-record.md")]
    whole, smallest = records
    assert whole.model_fields_set == set(TurnRecord.model_fields)
    assert smallest.model_fields_set == {"id", "messages", "draft"}


def test_every_field_of_a_turn_record_is_on_its_page() -> None:
    fields = {name for model in (TurnRecord, MessageIn, VerdictIn) for name in model.model_fields}
    assert not {field for field in fields if f"`{field}`" not in page("turn-record.md")}


def test_limits_of_a_turn_record_are_on_its_page() -> None:
    rows = {line.split("`")[1]: line for line in page("turn-record.md").splitlines() if line.startswith("| `")}
    for name, prop in TurnRecord.model_json_schema()["properties"].items():
        limits = [
            part[key] for part in (prop, *prop.get("anyOf", [])) for key in ("maxLength", "maxItems") if key in part
        ]
        assert all(f"{limit:,}" in rows[name] for limit in limits), f"{name}: {limits}"


def test_check_of_the_how_to_can_be_run() -> None:
    (code,) = (text for name, text in fences("python") if name.endswith("how-to/write-a-check.md"))
    names: dict[str, Any] = {}
    exec(compile(code, "write-a-check.md", "exec", dont_inherit=True), names)
    line = {"id": "t", "messages": [{"role": "user", "content": "Hi"}], "draft": {"text": "so " * 1_000}}
    rulebook = rulebook_of(Settings())
    evidence = evidence_of(parse_turn_record(json.dumps(line)), rulebook.rules)
    assessment = assess(evidence, rulebook, checks=(*CHECKS, names["LengthCheck"]()))
    (finding,) = (finding for finding in assessment.findings if finding.check == "length")
    assert finding.name == "length.long"
    assert finding.span == Span(start=1_500, end=3_000)


# --- pages ---


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [path for path in DOCS.rglob("*.md") if path.parent != DOCS / "adr" and path != DOCS / "README.md"]
    missing = [name for path in pages if f"({(name := path.relative_to(DOCS).as_posix())})" not in index]
    assert not missing, f"docs/README.md does not link to {', '.join(sorted(missing))}"


def test_every_anchor_leads_to_a_heading() -> None:
    """That the page exists is looked at in test_tidy.py."""
    link = re.compile(r"\]\(([^)\s#]*)#([^)\s]+)\)")
    problems = []
    for path in DOCS.rglob("*.md"):
        for target, anchor in link.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
            other = path if not target else path.parent / target
            if "://" not in target and anchor not in anchors(other.resolve()):
                problems.append(f"{path.relative_to(ROOT)}: {other.name} has no heading #{anchor}")
    assert not problems, "\n" + "\n".join(problems)


@cache
def anchors(path: Path) -> frozenset[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


if __name__ == "__main__":
    OPENAPI.write_text(openapi_text(), encoding="utf-8")
