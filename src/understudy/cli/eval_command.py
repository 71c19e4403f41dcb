"""`understudy eval …`: the commands of evaluation under one name; what each does stands in its own module."""

from __future__ import annotations

import typer

from understudy.cli import eval_case, eval_compare, eval_gate, eval_run

tree = typer.Typer(help="Try a release on cases of the past before customers meet it.", no_args_is_help=True)
tree.command("run")(eval_run.run)
tree.command("gate")(eval_gate.gate)
tree.command("compare")(eval_compare.compare)
tree.add_typer(eval_case.tree, name="case")
