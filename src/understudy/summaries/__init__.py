"""Summaries of hand-offs that a model writes, where one is configured; what stands below them is put together without one."""
