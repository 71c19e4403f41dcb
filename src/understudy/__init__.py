"""Understudy: a reliability layer between an AI agent and your customers; import from its submodules."""

__version__ = "0.1.0"
