"""Runs and verdicts in words: lines for a terminal, Markdown for a pull request. It computes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from understudy.cli.plain_text import shown, visible
from understudy.errors import ConfigurationError
from understudy.records.gate import GateVerdict

if TYPE_CHECKING:
    from understudy.cli.eval_ran import Ran
    from understudy.evaluation.gate import GateFound
    from understudy.evaluation.summary import SelfTest

SHOWN_MAX: Final = 20
CELL_CHARS_MAX: Final = 500
STEP_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_WORDS: Final = {GateVerdict.PASS: "Pass", GateVerdict.FAIL: "Fail", GateVerdict.INCONCLUSIVE: "Inconclusive"}
_STYLES: Final = {GateVerdict.PASS: "green", GateVerdict.FAIL: "red", GateVerdict.INCONCLUSIVE: "yellow"}


def gate_lines(found: GateFound, said: dict[str, Any]) -> Iterator[Text]:
    """A verdict for a terminal."""
    yield shown(f"{_WORDS[found.verdict]}: {said['candidate']} beside {said['baseline']}", _STYLES[found.verdict])
    yield shown(f"  {found.reason}")
    for one in found.flipped[:SHOWN_MAX]:
        way = "got worse" if one.candidate_loss > one.baseline_loss else "got better"
        yield shown(f"  {one.case} {way}: {one.why}")
    if len(found.flipped) > SHOWN_MAX:
        yield shown(f"  … and {len(found.flipped) - SHOWN_MAX} more; --json has them all")
    for caution in found.cautions:
        yield shown(f"  {caution}", "dim")
    if said.get("suite_changed"):
        yield shown("  The suite changed between the two runs; cases of one name may not be the same any more.", "dim")
    if found.would_decide is not None:
        yield shown(f"  What would decide it: {found.would_decide}.")


def gate_markdown(found: GateFound, said: dict[str, Any]) -> str:
    """A verdict as Markdown."""
    lines = [f"## Gate: {_WORDS[found.verdict].lower()}", "", cell(found.reason) + ".", ""]
    names = f"| {cell(said['baseline'])} | {cell(said['candidate'])} "
    low, high = found.interval
    lines += [
        "| baseline | candidate | pairs | errors | effect | interval |",
        "|---|---|---|---|---|---|",
        names + f"| {found.pairs} | {found.errors} | {found.effect:+.1%} | {low:+.1%} to {high:+.1%} |",
        "",
    ]
    if found.flipped:
        lines += ["| case | loss before | loss now | why |", "|---|---|---|---|"]
        lines += [
            f"| {cell(one.case)} | {one.baseline_loss:.2f} | {one.candidate_loss:.2f} | {cell(one.why)} |"
            for one in found.flipped[:SHOWN_MAX]
        ]
        lines.append("")
    if found.would_decide is not None:
        lines += [f"What would decide it: {cell(found.would_decide)}.", ""]
    return "\n".join([*lines, *(f"{caution}\n" for caution in found.cautions)])


def run_lines(found: Ran) -> Iterator[Text]:
    """A run for a terminal."""
    summary, outcome = found.summary, found.outcome
    rate = "nothing could be judged" if summary.pass_rate is None else f"{summary.pass_rate:.1%} passed"
    yield shown(f"{found.suite.name}, release {found.release}: {rate}")
    yield shown(
        f"  {summary.passed} passed, {summary.failed} failed, {summary.errors} ended in an error"
        f" ({outcome.resumed} of {outcome.planned} were there already); results in {found.file}"
    )
    for one in [one for one in summary.cases if one.failed][:SHOWN_MAX]:
        yield shown(f"  {one.case} failed {one.failed} of {one.passed + one.failed}: {one.why}", "red")
    for one in [one for one in summary.cases if one.errors][:SHOWN_MAX]:
        yield shown(f"  {one.case}: {one.errors} trials ended in an error", "yellow")
    for name in summary.toothless:
        yield shown(f"  {name}: its graders pass the very reply that people refused; make them stricter", "yellow")
    for name, agreed in found.judges.items():
        kappa = "–" if agreed.kappa is None else f"{agreed.kappa:.2f}"
        yield shown(
            f"  {name} agrees with people on {agreed.raw:.0%} of {agreed.drafts} replies (kappa {kappa})", "dim"
        )
    if outcome.ended == "budget":
        yield shown("  The budget is spent; run it again with -o and the same file to go on.", "yellow")
    if found.aa is not None:
        yield from _self_test_lines(found.aa)
    if found.gate is not None:
        yield from gate_lines(found.gate, {"baseline": found.baseline, "candidate": found.release})


def _self_test_lines(aa: SelfTest) -> Iterator[Text]:
    yield shown(
        f"A/A: {len(aa.flipped)} of {aa.cases} cases come to another verdict on the same agent ({aa.flip_rate:.1%}); "
        f"two trials of a case differ {aa.trial_flip_rate:.1%} of the time; the gate says {aa.gate.verdict.value}"
    )
    for case, share in aa.flaky[:SHOWN_MAX]:
        yield shown(f"  flaky: {case} fails {share:.0%} of its trials")


def run_markdown(found: Ran) -> str:
    """A run as Markdown."""
    summary = found.summary
    rate = "–" if summary.pass_rate is None else f"{summary.pass_rate:.1%}"
    lines = [
        f"## {cell(found.suite.name)}, release {cell(found.release)}",
        "",
        "| passed | failed | errors | pass rate |",
        "|---|---|---|---|",
        f"| {summary.passed} | {summary.failed} | {summary.errors} | {rate} |",
        "",
    ]
    failing = [one for one in summary.cases if one.failed]
    if failing:
        lines += ["| case | failed | why |", "|---|---|---|"]
        lines += [
            f"| {cell(one.case)} | {one.failed} of {one.passed + one.failed} | {cell(one.why)} |"
            for one in failing[:SHOWN_MAX]
        ]
        lines.append("")
    if found.gate is not None:
        lines.append(gate_markdown(found.gate, {"baseline": found.baseline, "candidate": found.release}))
    return "\n".join(lines)


def append_summary(path: Path | None, markdown: str) -> None:
    """Append Markdown to a file, or to the one that GitHub shows beside a step, where there is one."""
    where = path or (Path(os.environ[STEP_SUMMARY]) if os.environ.get(STEP_SUMMARY) else None)
    if where is None:
        return
    try:
        with where.open("a", encoding="utf-8") as file:
            file.write(markdown.rstrip("\n") + "\n")
    except OSError as error:
        raise ConfigurationError(f"{where} cannot be written: {error.strerror}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def cell(text: str, *, whole: bool = False) -> str:
    """Text of others as a cell of a table: no markup, no line break, no new column; cut unless it is wanted `whole`."""
    plain = " ".join(visible(text).split())
    for sign in ("\\", "|", "<", "`", "*", "_", "~", "[", "]"):
        plain = plain.replace(sign, "\\" + sign)
    return plain if whole else plain[:CELL_CHARS_MAX]
