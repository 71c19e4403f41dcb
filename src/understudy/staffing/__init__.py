"""Hand-offs find people: who is given which, who lost one, and what is done before a customer waited too long."""
