"""One turn, from the customer's message to a decision: the order of steps, deadlines and transactions; no rule lives here."""
