"""What `./dev bench autonomy` measures: one module for each part; each ends with its figures and judges none of them.

A module of this package that is named in `PARTS` of `benchmarks/autonomy.py` has

    FILES = ()                                # what it reads, below the data folder; where one is missing it is skipped
    def measure(study: Study) -> dict[str, Any]   # everything for the result: JSON-ready, no rounding needed

and takes from its `Study` the seeded dice (a name gives the same dice in every run), the number of runs (`--quick` has
fewer) and the bar of progress. What is to be reached stands in `targets.py`, beside the limit that nothing can pass.
"""
