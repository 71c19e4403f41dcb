"""Trials as JUnit XML, for whatever shows test results; a case is a test, its trials decide together."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from understudy.evaluation.summary import summary_of
from understudy.records.suite import Trial

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(trials: Sequence[Trial], *, suite: str, release: str) -> bytes:
    """One `testcase` a case: a `failure` where any trial failed, an `error` where none did and some told nothing."""
    summary = summary_of(trials)
    took: dict[str, float] = {}
    for trial in trials:
        took[trial.case] = took.get(trial.case, 0.0) + (trial.took_ms or 0.0) / 1000
    broken = [one for one in summary.cases if one.errors and not one.failed]
    counts = {
        "tests": str(len(summary.cases)),
        "failures": str(sum(bool(one.failed) for one in summary.cases)),
        "errors": str(len(broken)),
    }
    root = ET.Element("testsuites", {"name": "understudy", **counts})
    inner = ET.SubElement(root, "testsuite", {"name": _fit(f"{suite} ({release})"), **counts})
    for one in sorted(summary.cases, key=lambda case: case.case):
        attributes = {"classname": _fit(suite), "name": _fit(one.case), "time": f"{took.get(one.case, 0.0):.3f}"}
        test = ET.SubElement(inner, "testcase", attributes)
        judged = one.passed + one.failed
        if one.failed:
            said = f"failed {one.failed} of {judged}" + (f": {one.why}" if one.why else "")
            ET.SubElement(test, "failure", {"message": _fit(said)})
        elif one.errors:
            ET.SubElement(test, "error", {"message": _fit(f"{one.errors} trials ended in an error: {one.why}")})
    ET.indent(root)
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found + b"\n"


def _fit(text: str) -> str:
    """Leave out what XML cannot carry."""
    return _NOT_XML.sub("\ufffd", text)
