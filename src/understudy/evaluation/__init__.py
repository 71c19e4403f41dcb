"""The evaluation pipeline: cases from history, trials of a release, a gate before it goes out. It sends nothing."""
