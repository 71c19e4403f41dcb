"""The Python client: hand over drafts, read turns, decide on holds, over HTTP; `client` has the two classes to use."""
