"""The parts of `benchmarks/people.py`; each measures one thing about people and says so at its top."""
