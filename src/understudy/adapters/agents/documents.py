"""Reads a business's documents (.md, .txt, .jsonl, .jsonl.gz) into sections of plain sentences; it ranks nothing.

A document is split at its headings; a section holds units, each a sentence or a list item, with the Markdown marks
taken off. What is marked as internal (`audience: internal`, or a title or heading that begins with "Internal" or has
"(internal" in it) is left out: whatever is read here may be quoted to customers word for word.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.adapters.agents.json_forms import read_json
from understudy.errors import ConfigurationError

FILE_BYTES_MAX = 50_000_000
"""A file is refused above this size, unpacked: nobody's help pages are that long, and all of them are kept in memory."""
SUFFIXES = (".md", ".txt", ".jsonl", ".jsonl.gz")

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
_SENTENCE_END = re.compile(
    r"""(?<=[.!?\u3002\uff01\uff1f])(?<!\be\.g\.)(?<!\bi\.e\.)([\"'\u201d\u2019)]*)\s+(?=[\"'\u201c\u2018(]*[^\W_a-z])"""
)
_INTERNAL = re.compile(r"^\s*internal\b|\(internal\b", re.IGNORECASE)
_TABLE_RULE = re.compile(r"[\s|:-]+")
_MARKS = [
    (re.compile(r"<!--.*?-->", re.DOTALL), ""),
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]+)\]\(([^)\s]+)[^)]*\)"), r"\1 (\2)"),
    (re.compile(r"\*\*(.+?)\*\*|__(.+?)__"), r"\1\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands under one heading: units are sentences and list items, in order; `heading` is "" before the first."""

    heading: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One page of the business's knowledge."""

    id: str
    title: str
    sections: tuple[Section, ...]
    url: str | None = None
    topic: str | None = None


def read_documents(path: Path) -> list[Document]:
    """Read a file, or every file with a known suffix below a folder, in the order of their paths.

    Raises `ConfigurationError` naming the path, and what to do, where there is nothing to read or it cannot be read.
    """
    if not path.exists():
        raise ConfigurationError(f"the knowledge at {path} does not exist; create it, or correct the path")
    if path.is_file():
        files = [path]
    else:
        files = sorted(
            file
            for file in path.rglob("*")
            if file.name.endswith(SUFFIXES) and file.is_file() and not file.name.startswith(".")
        )
    root = path.parent if path.is_file() else path
    documents = [document for file in files for document in _documents_of(file, root)]
    if not documents:
        raise ConfigurationError(
            f"the knowledge at {path} holds no document for customers; "
            f"put {', '.join(SUFFIXES)} files there (documents marked internal are left out)"
        )
    id_, count = Counter(document.id for document in documents).most_common(1)[0]
    if count > 1:
        raise ConfigurationError(f"the knowledge at {path} has {count} documents with the id {id_!r}; ids must differ")
    return documents


def _documents_of(file: Path, root: Path) -> Iterator[Document]:
    text = _text_of(file)
    name = file.relative_to(root).as_posix()
    if file.name.endswith((".jsonl", ".jsonl.gz")):
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield from _from_row(line, f"{name}:{number}", file)
        return
    facts, body = _front_matter(text)
    id_ = facts.get("id") or name.rsplit(".", 1)[0]
    yield from _document(id_, body, facts)


def _text_of(file: Path) -> str:
    try:
        with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise ConfigurationError(f"{file} holds more than {FILE_BYTES_MAX:,} bytes; split it")
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error


def _from_row(line: str, place: str, file: Path) -> Iterator[Document]:
    try:
        row = read_json(line)
    except ValueError as error:
        raise ConfigurationError(f"{file}: {place} is not JSON: {error}") from error
    text = (row.get("text") or row.get("content")) if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise ConfigurationError(f"{file}: {place} needs an object with a string `text` (or `content`)")
    facts = {key: _word(row.get(key)) for key in ("id", "title", "url", "topic", "audience")}
    yield from _document(facts["id"] or place, text, facts)


def _word(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value).strip()


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Read `key: value` lines between two `---` at the top; quotes around a value are taken off."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    pairs = (line.split(":", 1) for line in (found[1] or "").splitlines() if ":" in line)
    return {key.strip().lower(): value.strip().strip("\"'") for key, value in pairs}, text[found.end() :]


def _document(id_: str, body: str, facts: dict[str, str]) -> Iterator[Document]:
    sections = list(_sections(body))
    title = facts.get("title") or ""
    if not title and sections:
        title = next((section.heading for section in sections if section.heading), id_)
    sections = [section for section in sections if section.units and not _INTERNAL.search(section.heading)]
    if facts.get("audience", "").lower() == "internal" or _INTERNAL.search(title) or not sections:
        return
    yield Document(
        id=id_,
        title=title,
        sections=tuple(sections),
        url=facts.get("url") or None,
        topic=facts.get("topic") or None,
    )


def _sections(body: str) -> Iterator[Section]:
    for pattern, plain in _MARKS:
        body = pattern.sub(plain, body)
    heading, units, paragraph = "", list[str](), list[str]()

    def end_paragraph() -> None:
        units.extend(split_sentences(" ".join(paragraph)))
        paragraph.clear()

    is_code = False
    for line in body.splitlines():
        found = None if is_code else _HEADING.match(line)
        if line.lstrip().startswith("```"):
            is_code = not is_code
            end_paragraph()
        elif found is not None:
            end_paragraph()
            yield Section(heading=heading, units=tuple(units))
            heading, units = found[1], []
        elif line.lstrip().startswith("|") and not is_code:
            end_paragraph()
            if not _TABLE_RULE.fullmatch(line):
                units.append(" | ".join(cell.strip() for cell in line.strip().strip("|").split("|")))
        elif is_code or _ITEM.match(line):
            end_paragraph()
            if line.strip():
                units.append(line.strip())
        elif not line.strip() or set(line.strip()) <= set("-=_*"):
            end_paragraph()
        elif units and not paragraph and line.startswith(("  ", "\t")) and _ITEM.match(units[-1]):
            units[-1] += " " + line.strip()
        else:
            paragraph.append(line.strip())
    end_paragraph()
    yield Section(heading=heading, units=tuple(units))


def split_sentences(text: str) -> list[str]:
    """Split a paragraph at sentence ends; an end is a full stop, ! or ? before something that can begin a sentence."""
    sentences, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        sentences.append(text[start : end.end(1)].strip())
        start = end.end()
    return [sentence for sentence in [*sentences, text[start:].strip()] if sentence]


def is_item(unit: str) -> bool:
    """Tell whether a unit is an item of a list."""
    return _ITEM.match(unit) is not None
