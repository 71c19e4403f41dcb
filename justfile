# Every task has one name, here; hooks and CI call the same ones. Reach them through ./dev, which prepares the environment.

set positional-arguments

# list the recipes
[private]
default:
    @just --list --unsorted

# prepare the environment and the hooks of this checkout
setup:
    git rev-parse --git-dir >/dev/null 2>&1 && pre-commit install || echo "not a git checkout: no hooks installed"

# the whole product with a bundled business and its customers; --headless ends with a summary
demo *args:
    @understudy demo "$@"

# run the product with ./understudy.toml
serve *args:
    @understudy serve "$@"

# all tests, or the named ones; -n0 runs them in one process
test *args:
    @pytest -n auto --dist loadfile --no-loadscope-reorder "$@"

# everything a change must pass beside the tests, cheapest first
check: formatted lint imports types deps fresh

# format the code
format:
    ruff format
    ruff check --select I --fix --quiet

[private]
formatted:
    ruff format --check

# look for likely mistakes and banned names
lint:
    ruff check

# keep the floors: who may import whom
imports:
    lint-imports --no-logo

# check the types
types:
    mypy

# compare the declared dependencies with the imported ones
deps:
    deptry src

# write the generated reference pages anew
docs:
    cog -r docs/reference/*.md

# see that the generated reference pages say what the code says
[private]
fresh:
    cog --check docs/reference/*.md

# play 10,000 simulated worlds, or see one again: ./dev simulate --seed 4711
simulate *args:
    @PYTHONPATH=tests python -m simulation "$@"

# run one benchmark: ./dev bench turns --json
bench name *args:
    @script="benchmarks/$1.py" && shift && python "$script" "$@"

# remove what tools left behind; keeps .venv and your data
clean:
    rm -rf build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
    find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
