"""How a new version of an agent comes to the customers, and is taken back."""
