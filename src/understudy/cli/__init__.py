"""The command line: parse, call, print; each command stands in a module of its own and nothing imports this package."""
