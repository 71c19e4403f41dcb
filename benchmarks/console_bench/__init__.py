"""Parts of `benchmarks/console.py` that stand by themselves; it runs nothing."""
