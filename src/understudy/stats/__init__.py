"""Statistics that stay valid while people keep looking at them: pure functions of numbers; no records, no clock, no I/O.

| module | answers |
|---|---|
| `betting` | is the mean loss below the target? asked after every label |
| `ladder`, `ladder_design` | above which score threshold is it? |
| `outlook` | how many labels will that take, exactly |
| `detector` | has the risk risen above the target? |
| `watermark`, `severity` | which labels may be used yet, and what loss each one is |
| `binomial`, `sprt` | bounds for one look at a count; two hypotheses, as few trials as possible |
| `gate` | is the candidate worse than the baseline? by how much? |
| `logistic`, `calibration`, `coverage` | a score from signals; how honest and how sharp it is |
| `agreement` | do two reviewers agree |

numpy and scipy take a while to import, so nothing is imported here and whoever needs a module names it where it is used.
Throughout, a *loss* is in [0, 1] and 0 is good, `target` is the risk promised (alpha), `delta` the probability of a
false promise, and logarithms are natural.
"""
