"""JUnit XML of any test runner as trials; it reads what is there and runs nothing.

A case is `classname.name`; the same name again is the next trial. A `failure` is the agent's, an `error` is an error,
and a skipped test says nothing and is left out.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

from understudy.errors import MalformedInput
from understudy.records.suite import Trial


def trials_of(content: bytes, place: str) -> tuple[Trial, ...]:
    """The trials of a file; raises `MalformedInput`. A document type is refused: it could make the file grow without end."""
    if b"<!DOCTYPE" in content[:100_000].upper() or b"<!ENTITY" in content.upper():
        raise MalformedInput(f"{place}: a document type is not taken; JUnit files have none")
    try:
        root = ET.fromstring(content)  # noqa: S314 - no document type, so no entities
    except ET.ParseError as error:
        raise MalformedInput(f"{place}: not XML: {error}") from error
    if root.tag not in ("testsuites", "testsuite"):
        raise MalformedInput(f"{place}: <{root.tag}> is no JUnit report; it begins with <testsuites> or <testsuite>")
    seen: Counter[str] = Counter()
    found = []
    for test in root.iter("testcase"):
        if test.find("skipped") is not None:
            continue
        name = ".".join(part for part in (test.get("classname"), test.get("name")) if part) or "unnamed"
        broke, failure = test.find("error"), test.find("failure")
        number = seen[name]
        seen[name] += 1
        if broke is not None:
            found.append(Trial(case=name, trial=number, error=_said(broke)))
        else:
            why = "" if failure is None else _said(failure)
            found.append(Trial(case=name, trial=number, loss=float(failure is not None), why=why))
    return tuple(found)


def _said(element: ET.Element) -> str:
    return (element.get("message") or (element.text or "").strip() or element.tag)[:500]
