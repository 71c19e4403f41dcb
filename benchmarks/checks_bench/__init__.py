"""What `./dev bench checks` measures: one module for each check; each ends with its figures and judges none of them.

A module of this package that is named in `MODULES` of `benchmarks/checks.py` has

    NAME = "grounding"                        # its key in the result
    FILES = ("grounding_begin.jsonl.gz", …)   # what it reads, below the data folder; where one is missing it is skipped
    def measure(data: Path) -> dict[str, Any] # everything for the result: JSON-ready, no rounding needed

and is usually a loop over records that calls `examined` (runs one check on one record, takes the time) to make
`Sample`s, and `figures(samples)`, which gives AUROC, precision and recall at the shipped threshold, TPR at 1 % FPR,
median and p99 milliseconds, and precision for each finding code. Several data sets are several keys:

    return {"begin": figures(samples), "halueval": figures(others)}

Whatever is learned is learned from records with `is_for_training(key)` and measured on the others, where the key is
the *source* of a record (the document, the template, the task), so that no source is on both sides.
"""
