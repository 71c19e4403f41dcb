"""What the operating system knows of a server: processor time and memory, read from /proc (Linux). It starts nothing."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        found.extend(int(child) for child in _read(f"/proc/{one}/task/{one}/children").split())
    return found


def cpu_s(pids: list[int]) -> float:
    """Processor time used so far, in seconds; a process that has ended counts nothing."""
    total = 0
    for pid in pids:
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if fields:
            total += int(fields[11]) + int(fields[12])
    return total / _TICKS_PER_S


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and all below it."""
    total = 0
    for one in family(pid):
        for line in _read(f"/proc/{one}/status").splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""  # it ended a moment ago
