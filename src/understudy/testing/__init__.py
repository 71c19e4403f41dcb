"""Public fakes that keep the ports' promises, for your tests and for ours; nothing here is used by a running server."""
