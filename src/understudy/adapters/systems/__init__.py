"""Systems of record: what the business knows of its customers, and its tickets."""
