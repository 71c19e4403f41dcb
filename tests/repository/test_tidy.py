"""The rules of docs/style.md that no other tool knows. A message says what to do instead."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
THIS = Path(__file__).relative_to(ROOT)

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400

# Ratchets: what is longer may stay, with a reason and the length it may not exceed. Nothing is added lightly here:
# a long function is usually several steps that want names, a long file several nouns that want a home.
LONG_FUNCTIONS: dict[str, int] = {}
LONG_FILES: dict[str, int] = {
    "tests/contract/test_agents.py": 408,  # one contract, held against every kind of agent
}

BANNED_MODULES = {
    "base": "name the contract (`ports/channel.py`) and let implementations stand beside each other",
    "common": "name what the two callers share, or keep it twice",
    "core": "name the part of the core: a check, the confidence, the decision",
    "handler": "name the event and what is done about it",
    "helper": "put the function beside its caller, or name the noun it is about",
    "helpers": "put the functions beside their caller, or name the noun they are about",
    "lib": "name what it is for",
    "manager": "name what it watches over (`rescue`, `retention`, `breaker`)",
    "misc": "give each thing in it a home of its own",
    "shared": "name what is shared",
    "util": "name the noun it is about",
    "utils": "name the noun they are about",
}

# What only the place where somebody works knows: absolute paths and the names of the tools at hand. A reader elsewhere
# can do nothing with them.
WORKPLACE = re.compile(
    r"(?<![\w.$}])/work/|/tmp/brief|\bsub-?agents?\b|\bClaude\b|\bAnthropic\b|\b(LLM|AI)-written\b|\bCopilot\b",
    re.IGNORECASE,
)
TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?! ?\(?#\d+)")
README_TEST_LINE = re.compile(r"^[ \t$]*\./dev test([ \t].*)?$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)")
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return tuple(sorted(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()))


def python_files(*folders: str) -> Iterator[tuple[str, str]]:
    """The Python files under the folders as (name from the root, text)."""
    for path in files():
        name = path.relative_to(ROOT)
        if path.suffix == ".py" and name.parts[0] in (folders or ("src", "tests", "benchmarks")):
            yield name.as_posix(), path.read_text()


def texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """The files with such suffixes (all where none is given) that are text, without this one."""
    for path in files():
        if path.relative_to(ROOT) == THIS or path.name == "uv.lock" or (suffixes and path.suffix not in suffixes):
            continue
        try:
            yield path.relative_to(ROOT), path.read_text()
        except UnicodeDecodeError:
            continue  # an image or an archive says nothing


def report(problems: list[str]) -> str:
    return "\n" + "\n".join(problems)


def test_every_function_fits_a_screen() -> None:
    problems = []
    for name, text in python_files():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                allowed = LONG_FUNCTIONS.get(f"{name}:{node.name}", FUNCTION_LINES_MAX)
                if length > allowed:
                    problems.append(f"{name}:{node.lineno} {node.name} has {length} lines of {allowed}: name its steps")
    assert not problems, report(problems)


def test_every_file_can_be_read_in_one_go() -> None:
    problems = [
        f"{name} has {length} lines of {allowed}: which of its nouns could have a file of its own?"
        for name, text in python_files()
        if (length := text.count("\n")) > (allowed := LONG_FILES.get(name, FILE_LINES_MAX))
    ]
    assert not problems, report(problems)


def test_ratchets_only_hold_what_is_still_long() -> None:
    gone = [name for name in (*LONG_FUNCTIONS, *LONG_FILES) if not (ROOT / name.split(":")[0]).is_file()]
    assert not gone, report([f"{name} is gone; take it off the ratchet" for name in gone])


def test_every_module_is_named_after_what_it_holds() -> None:
    problems = [
        f"{name}: {BANNED_MODULES[part]}"
        for name, _ in python_files()
        for part in (*Path(name).parts[:-1], Path(name).stem)
        if part in BANNED_MODULES
    ]
    assert not problems, report(problems)


def test_every_module_says_what_it_is() -> None:
    problems = [
        f"{name}: begin with one sentence that says what the module is and what it does not do"
        for name, text in python_files()
        if not ast.get_docstring(ast.parse(text))
    ]
    assert not problems, report(problems)


def test_every_todo_names_its_issue() -> None:
    problems = [
        f"{name}: {found[0]}: do it now, or open an issue and write {found[1]}(#123)"
        for name, text in texts(".py", ".js", ".ts", ".svelte", ".css", ".html", ".toml", ".sh", "")
        for found in TODO.finditer(text)
    ]
    assert not problems, report(problems)


def test_only_the_command_line_prints() -> None:
    problems = [
        f"{name}:{node.lineno}: return it, emit a telemetry event, or let the command line say it"
        for name, text in python_files("src")
        if not name.startswith("src/understudy/cli/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not problems, report(problems)


def test_no_test_mocks() -> None:
    mocks = re.compile(
        r"^\s*(import|from) unittest(\.mock| import mock)|^\s*(import|from) (mock|pytest_mock)\b", re.MULTILINE
    )
    problems = [
        f"{name}: use a fake of understudy.testing; it keeps the port's promises, a mock keeps none"
        for name, text in python_files()
        if mocks.search(text)
    ]
    assert not problems, report(problems)


def test_readme_tells_the_test_command_that_ci_runs() -> None:
    readme = (ROOT / "README.md").read_text()
    assert README_TEST_LINE.search(readme), "README.md needs a line `./dev test` in a code block; .ci/run runs it"
    assert "./dev demo" in readme, "README.md needs the line `./dev demo`: the first thing a newcomer does"


def test_every_decision_record_is_in_the_index() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    missing = [name for name in records if f"({name})" not in index]
    assert not missing, report([f"docs/adr/{name}: add it to docs/adr/README.md" for name in missing])
    numbers = [int(name[:4]) for name in records]
    assert numbers == list(range(len(records))), "decision records are numbered without gaps or repetition"


def test_every_link_between_pages_leads_somewhere() -> None:
    problems = []
    for name, text in texts(".md"):
        for target in LINK.findall(FENCE.sub("", text)):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (ROOT / name.parent / target.split("#")[0]).exists():
                problems.append(f"{name}: {target} does not exist; mend the link or write the page")
    assert not problems, report(problems)


def test_nothing_tells_of_the_workplace() -> None:
    problems = [
        f"{name}: {found[0]!r}: say it so that a reader anywhere can use it"
        for name, text in texts()
        for found in WORKPLACE.finditer(f"{name}\n{text}")
    ]
    assert not problems, report(problems)


def test_every_change_fragment_has_a_known_kind() -> None:
    problems = [
        f"changes/{path.name}: name it NAME.added.md, .changed, .fixed, .security or .removed (changes/README.md)"
        for path in (ROOT / "changes").glob("*.md")
        if path.name != "README.md" and not re.fullmatch(r".+\.(added|changed|fixed|security|removed)\.md", path.name)
    ]
    assert not problems, report(problems)
