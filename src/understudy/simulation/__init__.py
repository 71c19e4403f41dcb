"""Earned autonomy played through in a made-up world before it is real: the rules are the product's own, only drafts,
reviewers and customers are invented. The worlds in which the promises of the whole product are tested are others, in
`tests/simulation/`.

| module | holds |
|---|---|
| `world` | what a world is made of, as read from a file |
| `drafts` | the drafts of a slice over all days, from seeded dice, and what reviewers will say of them |
| `slices` | one slice: what leaves, which labels come, what learning makes of them |
| `running` | days pass for all slices of a world |
| `identity_world`, `identity_people` | another world: people over many addresses, leads who err, and who got whose words |
| `tally`, `summary` | what became of it, in one run and over many |
"""
