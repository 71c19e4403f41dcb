"""`understudy eval gate`: is a candidate no worse than its baseline, from two result files of anybody's runner."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from understudy.cli.output import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    ConfigOption,
    JsonOption,
    print_json,
    read_settings,
)
from understudy.errors import ConfigurationError
from understudy.records.gate import GateVerdict

if TYPE_CHECKING:
    from understudy.evaluation.gate import GateFound, GateTerms
    from understudy.evaluation.readers.results import Results
    from understudy.settings.model import Settings

EXIT_OF: Final = {
    GateVerdict.PASS: EXIT_OK,
    GateVerdict.FAIL: EXIT_FAILED,
    GateVerdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
}


def gate(
    baseline: Path = typer.Option(..., "--baseline", help="results of the release that is out there"),
    candidate: Path = typer.Option(..., "--candidate", help="results of the release that wants out"),
    margin: float = typer.Option(0.03, "--margin", help="mean loss that is one too much, between 0 and 1"),
    confidence: float = typer.Option(0.95, "--confidence", help="with which each end of the interval holds"),
    must_pass: Annotated[
        list[str] | None, typer.Option("--must-pass", help="a case that has to pass; repeat for several")
    ] = None,
    zero_tolerance: Annotated[
        list[str] | None, typer.Option("--zero-tolerance", help="a case that may never fail; repeat for several")
    ] = None,
    cases_min: int | None = typer.Option(None, "--cases-min", help="fewer cases in both never pass"),
    form: str = typer.Option("auto", "--format", help="lines, promptfoo, inspect, junit, or auto"),
    junit: Path | None = typer.Option(None, "--junit", help="write the verdict as JUnit XML"),
    summary: Path | None = typer.Option(
        None, "--summary", help="append a summary in Markdown to this file; default: $GITHUB_STEP_SUMMARY, where set"
    ),
    keep: bool = typer.Option(False, "--keep", help="keep the verdict in the store"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compare two results: exit 0 pass, 1 fail, 2 inconclusive, which is never a pass."""
    from understudy.cli.eval_report import append_summary, gate_lines, gate_markdown, write_file
    from understudy.evaluation.gate import decide

    settings, base = read_settings(config, file_needed=False)
    terms = _terms(settings, margin, confidence, cases_min)
    before, after = _read(baseline, form), _read(candidate, form)
    after = _with_rules(after, before, must_pass or [], zero_tolerance or [])
    found = decide(before.trials, after.trials, terms)
    said = gate_object(found, baseline=before.release or baseline.name, candidate=after.release or candidate.name)
    said |= _suites(before, after)
    if keep:
        said["id"] = _keep(settings, base, found, said)
    if junit is not None:
        write_file(junit, _junit(found))
    append_summary(summary, gate_markdown(found, said))
    if as_json:
        print_json(said)
    else:
        console = Console(soft_wrap=True)
        for line in gate_lines(found, said):
            console.print(line)
    return EXIT_OF[found.verdict]


def gate_object(found: GateFound, *, baseline: str, candidate: str) -> dict[str, Any]:
    """A verdict in its public form."""
    return {
        "verdict": found.verdict.value,
        "effect": found.effect,
        "interval": list(found.interval),
        "pairs": found.pairs,
        "reason": found.reason,
        "cases": found.cases,
        "errors": found.errors,
        "errors_baseline": found.errors_of[0],
        "errors_candidate": found.errors_of[1],
        "flipped": [
            {
                "case": one.case,
                "baseline_loss": one.baseline_loss,
                "candidate_loss": one.candidate_loss,
                "why": one.why,
            }
            for one in found.flipped
        ],
        "blocked_by": list(found.blocked_by),
        "would_decide": found.would_decide,
        "cautions": list(found.cautions),
        "baseline": baseline,
        "candidate": candidate,
    }


def _terms(settings: Settings, margin: float, confidence: float, cases_min: int | None) -> GateTerms:
    from understudy.evaluation.gate import GateTerms
    from understudy.stats.sprt import Sprt

    wanted = settings.evaluation
    if not 0.0 < confidence < 1.0:
        raise ConfigurationError(f"--confidence must be between 0 and 1, got {confidence:g}")
    try:
        return GateTerms(
            margin=margin,
            delta=round(1.0 - confidence, 12),
            cases_min=wanted.cases_min if cases_min is None else cases_min,
            error_share_max=wanted.error_share_max,
            must_pass=Sprt(unacceptable=wanted.must_pass_unacceptable, acceptable=wanted.must_pass_acceptable),
        )
    except ValueError as error:
        raise ConfigurationError(f"--margin, --cases-min or [evaluation]: {error}") from error


def _read(path: Path, form: str) -> Results:
    from understudy.evaluation.readers.results import Form, read_results

    if form == "auto":
        return read_results(path)
    try:
        return read_results(path, form=Form(form))
    except ValueError:
        raise ConfigurationError(f"--format {form!r}: there is auto, {', '.join(Form)}") from None


def _with_rules(after: Results, before: Results, must_pass: list[str], zero_tolerance: list[str]) -> Results:
    """Give cases the rules that the command line names; one that neither file knows is a mistake."""
    from dataclasses import replace

    from understudy.records.suite import CaseRule

    known = {trial.case for results in (before, after) for trial in results.trials}
    rules = dict.fromkeys(must_pass, CaseRule.MUST_PASS) | dict.fromkeys(zero_tolerance, CaseRule.ZERO_TOLERANCE)
    for case in rules:
        if case not in known:
            raise ConfigurationError(f"case {case!r} is in neither file")
    trials = tuple(replace(one, rule=rules[one.case]) if one.case in rules else one for one in after.trials)
    missing = [case for case in rules if case not in {trial.case for trial in after.trials}]
    if missing:
        raise ConfigurationError(f"case {missing[0]!r} was not tried on the candidate, so it cannot be told to pass")
    return replace(after, trials=trials)


def _suites(before: Results, after: Results) -> dict[str, Any]:
    found: dict[str, Any] = {"suite": after.suite or before.suite, "suite_digest": after.suite_digest}
    if before.suite_digest and after.suite_digest and before.suite_digest != after.suite_digest:
        found["suite_changed"] = True
    return found


def _keep(settings: Settings, base: Path, found: GateFound, said: dict[str, Any]) -> str:
    import asyncio

    from understudy.databases import open_evaluation_store

    with open_evaluation_store(settings, base) as archive:
        return asyncio.run(
            archive.keep_gate(
                found,
                suite=said["suite"],
                suite_digest=said["suite_digest"],
                baseline=said["baseline"],
                candidate=said["candidate"],
            )
        ).id


def _junit(found: GateFound) -> bytes:
    from understudy.evaluation.junit_report import junit_xml
    from understudy.records.suite import Trial

    blocked = {name: f"{name} blocks by itself" for name in found.blocked_by}
    worse = {one.case: one.why for one in found.flipped if one.candidate_loss > one.baseline_loss}
    verdict = (
        Trial(case="gate", trial=0, error=f"inconclusive: {found.reason}")
        if found.verdict is GateVerdict.INCONCLUSIVE
        else Trial(case="gate", trial=0, loss=float(found.verdict is GateVerdict.FAIL), why=found.reason)
    )
    cases = [Trial(case=f"gate.{name}", trial=0, loss=1.0, why=why) for name, why in blocked.items()]
    if found.verdict is GateVerdict.FAIL:
        cases += [
            Trial(case=f"gate.{name}", trial=0, loss=1.0, why=why) for name, why in worse.items() if name not in blocked
        ]
    return junit_xml([verdict, *cases], suite="gate", release="candidate")
