"""Parts of `benchmarks/eval.py`."""
