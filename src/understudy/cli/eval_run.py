"""`understudy eval run SUITE`: try a release on a suite; results are lines of a file, and nothing is sent to anybody."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from understudy.cli.eval_ran import Ran
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

if TYPE_CHECKING:
    from understudy.evaluation.runner import RunOutcome
    from understudy.evaluations import Evaluations
    from understudy.records.suite import Suite, Trial

RUNS = Path("understudy-data/runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks of a run."""

    suite: str
    agent: str | None
    release: str | None
    trials: int | None
    at_once: int | None
    per_minute: int | None
    budget: int | None
    cache: Path | None
    output: Path | None
    against: Path | None
    margin: float | None
    again: bool
    aa: bool
    cases: tuple[str, ...]


def run(
    suite: str = typer.Argument(help="a folder of cases, or its name in the folder of suites"),
    output: Path | None = typer.Option(
        None, "--output", "-o", help="results, a line a trial; an unfinished file is gone on with; default: a new file"
    ),
    agent: str | None = typer.Option(None, "--agent", help="which agent to try; default: the one that drafts"),
    release: str | None = typer.Option(None, "--release", help="its name in the results; default: its version"),
    trials: int | None = typer.Option(None, "--trials", help="of each case; default: as the suite says"),
    aa: bool = typer.Option(False, "--aa", help="run the suite twice on the same agent: how often does it disagree?"),
    concurrency: int | None = typer.Option(None, "--concurrency", help="trials at once; default: the setting"),
    per_minute: int | None = typer.Option(None, "--per-minute", help="requests to the agent in any 60 s, at most"),
    budget: int | None = typer.Option(None, "--budget", help="requests to the agent in all; then it stops"),
    cache: Path | None = typer.Option(None, "--cache", help="keep the agent's answers here, by content"),
    against: Path | None = typer.Option(
        None, "--against", help="results of the baseline: stop as soon as the gate is decided, and say so"
    ),
    margin: float | None = typer.Option(None, "--margin", help="of the gate; default: as the suite says"),
    case: Annotated[list[str] | None, typer.Option("--case", help="only this case; repeat for several")] = None,
    retry_errors: bool = typer.Option(False, "--retry-errors", help="try trials again that ended in an error"),
    measure: bool = typer.Option(False, "--measure", help="exit 0 whatever failed: a gate will judge"),
    keep: bool = typer.Option(False, "--keep", help="keep the run in the store as well"),
    junit: Path | None = typer.Option(None, "--junit", help="write the results as JUnit XML"),
    summary: Path | None = typer.Option(None, "--summary", help="append a summary in Markdown to this file"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Try a release on a suite. Exit 1 where anything failed, 2 where nothing did but errors or the budget hid something."""
    from understudy.evaluations import Evaluations

    settings, base = read_settings(config, file_needed=False)
    wanted = Wanted(
        suite=suite,
        agent=agent,
        release=release,
        trials=_positive("--trials", trials),
        at_once=_positive("--concurrency", concurrency),
        per_minute=_positive("--per-minute", per_minute),
        budget=_positive("--budget", budget),
        cache=cache,
        output=output,
        against=against,
        margin=margin,
        again=retry_errors,
        aa=aa,
        cases=tuple(case or ()),
    )
    evaluations = Evaluations(settings, base)
    found = asyncio.run(_run(evaluations, wanted))
    if keep:
        _keep(evaluations, found)
    _report(found, junit=junit, summary=summary)
    if as_json:
        print_json(as_object(found))
    else:
        _show(found)
    return EXIT_OK if measure else exit_code(found)


async def _run(evaluations: Evaluations, wanted: Wanted) -> Ran:
    from understudy.evaluation import teeth
    from understudy.evaluation.journal import Journal, RunHead
    from understudy.evaluation.plan import plan_of
    from understudy.evaluation.runner import Runner
    from understudy.evaluation.suites import read_suite
    from understudy.evaluation.summary import agreement_with_itself, summary_of
    from understudy.evaluations import Tries

    suite = read_suite(evaluations.suite_folder(wanted.suite))
    _demand_known(suite, wanted.cases)
    graders = evaluations.graders(suite)
    terms = evaluations.terms(margin=wanted.margin or suite.margin)
    baseline = _baseline(wanted.against)
    trials = wanted.trials or suite.trials
    plan = plan_of(
        suite,
        trials=2 * max(trials, 1) if wanted.aa else trials,
        must_pass=None if wanted.aa else terms.must_pass,
        only=wanted.cases,
    )
    tries = Tries(per_minute_max=wanted.per_minute, calls_max=wanted.budget, cache=wanted.cache)
    async with evaluations.release(wanted.agent, name=wanted.release, tries=tries) as release:
        run_id = evaluations.clock.new_id("run")
        file = wanted.output or evaluations.base / RUNS / f"{suite.name}-{run_id}.jsonl"
        head = RunHead(run=run_id, suite=suite.name, suite_digest=suite.checksum, release=release.name)
        journal = Journal.opened(file, head, drops_errors=wanted.again)
        tried = [
            one
            for case in suite.cases
            if (one := await teeth.tried(case, graders[case.id], release.rulebook, release.checks)) is not None
        ]
        with progress(release.name, len(plan), len(journal.known)) as told:
            runner = Runner(
                release,
                evaluations.clock,
                graders=graders,
                player=evaluations.player,
                limits=evaluations.limits(wanted.at_once),
                teeth={one.case: one.refused for one in tried if not one.is_good and one.refused is not None},
                watch=told,
            )
            outcome = await runner.run(plan, journal, is_decided=_decided(baseline, terms))
    gate, named = _gated(baseline, outcome, terms)
    return Ran(
        suite=suite,
        release=release.name,
        file=file,
        run=journal.head.run,
        outcome=outcome,
        summary=summary_of(outcome.trials, suite),
        gate=gate,
        baseline=named,
        aa=agreement_with_itself(outcome.trials, trials) if wanted.aa else None,
        judges=teeth.judges_beside_people(tried),
    )


def _baseline(path: Path | None) -> Any:
    if path is None:
        return None
    from understudy.evaluation.readers.results import read_results

    return read_results(path)


def _decided(baseline: Any, terms: Any) -> Callable[[Any], bool]:
    if baseline is None:
        return lambda trials: False
    from understudy.evaluation.gate import settling

    return settling(baseline.trials, terms)


def _gated(baseline: Any, outcome: RunOutcome, terms: Any) -> tuple[Any, str]:
    if baseline is None:
        return None, ""
    from understudy.evaluation.gate import decide

    return decide(baseline.trials, outcome.trials, terms), baseline.release or baseline.name


def exit_code(found: Ran) -> int:
    """0 all passed, 1 something failed, 2 nothing did but not all was seen; with a gate, its verdict."""
    if found.gate is not None:
        from understudy.cli.eval_gate import EXIT_OF

        return EXIT_OF[found.gate.verdict]
    if found.summary.failed:
        return EXIT_FAILED
    return EXIT_INCONCLUSIVE if found.summary.errors or found.outcome.ended == "budget" else EXIT_OK


def as_object(found: Ran) -> dict[str, Any]:
    """A run in its public form."""
    from understudy.cli.eval_gate import gate_object

    outcome, summary = found.outcome, found.summary
    return {
        "suite": found.suite.name,
        "suite_digest": found.suite.checksum,
        "release": found.release,
        "run": found.run,
        "output": str(found.file),
        "planned": outcome.planned,
        "resumed": outcome.resumed,
        "ended_early": outcome.ended,
        **summary.as_object(),
        "judges": {
            name: {"drafts": one.drafts, "agreement": one.raw, "kappa": one.kappa} for name, one in found.judges.items()
        },
        "aa": None if found.aa is None else found.aa.as_object(),
        "gate": None
        if found.gate is None
        else gate_object(found.gate, baseline=found.baseline, candidate=found.release),
    }


def _show(found: Ran) -> None:
    from understudy.cli.eval_report import run_lines

    console = Console(soft_wrap=True)
    for line in run_lines(found):
        console.print(line)


def _report(found: Ran, *, junit: Path | None, summary: Path | None) -> None:
    from understudy.cli.eval_report import append_summary, run_markdown, write_file
    from understudy.evaluation.junit_report import junit_xml

    if junit is not None:
        write_file(junit, junit_xml(found.outcome.trials, suite=found.suite.name, release=found.release))
    append_summary(summary, run_markdown(found))


def _keep(evaluations: Evaluations, found: Ran) -> None:
    from understudy.databases import open_evaluation_store

    with open_evaluation_store(evaluations.settings, evaluations.base) as archive:
        asyncio.run(
            archive.keep_run(
                run=found.run,
                suite=found.suite.name,
                suite_digest=found.suite.checksum,
                release=found.release,
                planned=found.outcome.planned,
                trials=found.outcome.trials,
                is_ended=found.outcome.ended is None,
            )
        )


def _demand_known(suite: Suite, cases: tuple[str, ...]) -> None:
    known = {case.id for case in suite.cases}
    unknown = [case for case in cases if case not in known]
    if unknown:
        raise ConfigurationError(f"--case {unknown[0]!r}: suite {suite.name} has no such case")


def _positive(option: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise ConfigurationError(f"{option} must be at least 1, got {value}")
    return value


@contextmanager
def progress(what: str, planned: int, known: int) -> Iterator[Callable[[str, str, int], None]]:
    """A bar on stderr with the time left, where somebody looks."""
    bar = Progress(
        TextColumn("trials of {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=planned, completed=known)

        def told(point: str, case: str, trial: int) -> None:  # noqa: ARG001 - the shape of a watch
            if point == "safe":
                bar.advance(task)

        yield told


def failing(trials: tuple[Trial, ...]) -> list[Trial]:
    """The trials in which anything was wrong."""
    return [trial for trial in trials if trial.loss]
