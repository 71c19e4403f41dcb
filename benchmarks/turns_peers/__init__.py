"""The systems that `benchmarks/turns.py` compares Understudy with, each a server of its own; nothing here measures."""
