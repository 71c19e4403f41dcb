"""Labelled history in the forms other systems export it, read as turn records with verdicts; nothing is judged here.

| module | reads |
|---|---|
| `turn_records` | our own form, one JSON object a line |
| `openai_logs` | chat logs in the OpenAI format with thumbs or scores |
| `langfuse` | traces, observations and scores of a Langfuse export |
| `chatwoot` | conversations of a Chatwoot export with a satisfaction rating or labels |
| `tables` | CSV, its columns mapped by name |

`formats` picks one of them; `source` opens the file, `ratings` says what a thumb or a number means. A reader yields
`Labelled` and raises `MalformedInput` with the file, the line and the field for what it does not know.
"""
