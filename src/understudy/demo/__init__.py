"""A made-up business, its customers and its reviewers, played against the real product; no other part imports this."""
