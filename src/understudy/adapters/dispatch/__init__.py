"""Who works on what: implementations of the dispatcher port."""
