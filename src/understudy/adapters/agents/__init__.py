"""Ways to ask a drafting agent: over HTTP, in this process, or the built-in one that quotes your documents."""
