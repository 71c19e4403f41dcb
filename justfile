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
test *args: provider
    @pytest -n auto --dist loadfile --no-loadscope-reorder "$@"

# what the tests' own identity provider is made of; without it its tests are skipped, but not in CI
[private]
provider:
    @cd tests/provider && [ -d node_modules ] || npm ci --silent || echo "tests/provider could not be fetched: tests of signing in by a provider are skipped" >&2

# servers killed at every named point of a release's gate, on both stores; a quarter of an hour
kill-gates *args:
    @EVERY_POINT=1 pytest -n0 tests/promises/test_a_gate_goes_on_where_it_was.py "$@"

# search every property a hundred times longer than `test` does, or those of the named tests; hours for all
search *args:
    @pytest -n auto --dist worksteal -m "not browser" --hypothesis-profile=night "$@"

# everything a change must pass beside the tests, cheapest first
check: formatted lint imports types deps fresh console-types

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

# serve the console as you write it, against a server on port 8080 (or UNDERSTUDY_URL)
console *args: (npm "run" "types")
    @cd console && npm run dev -- "$@"

# the console's types and its own tests
[private]
console-types: (npm "run" "types") (npm "run" "check") (npm "run" "test")

[private]
npm *args:
    @cd console && { [ -d node_modules ] || npm ci --silent; } && npm --silent "$@"

# write the generated reference pages anew
docs:
    cog -r docs/reference/*.md

# make the pictures of the console's screens anew, in both themes; look at them before you commit them
pictures:
    @MAKE_PICTURES=1 pytest -n0 -q tests/acceptance/test_pictures.py -k made

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
