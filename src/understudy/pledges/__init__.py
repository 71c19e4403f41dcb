"""What the business owes its customers: told to people before it is late, and ended by people. It writes to no customer."""
