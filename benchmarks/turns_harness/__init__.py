"""What `benchmarks/turns.py` and `benchmarks/replicas.py` drive and observe servers with; no system under test is here."""
