"""A few bytes of memory that a process and the one who wants it dead share: at which commit to die, and whether it did.

The process looks there at each commit, which costs it nothing worth measuring; so it can be told while it runs. It
knows no store.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

SIZE = 512
_ARMED, _AFTER, _BURNT, _COUNT, _NAME, _UNNAMED = 0, 1, 2, 4, 16, 128
_NAME_BYTES = _UNNAMED - _NAME


class Fuse:
    """Both ends use this class on the same file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), SIZE)

    # The one who wants it dead -----------------------------------------------------------------------------------

    def arm(self, event: str, *, is_after: bool, nth: int) -> None:
        """Let the process die at its n-th commit from now (n >= 1) that writes such an event."""
        self._memory[_ARMED] = 0
        name = event.encode()
        assert len(name) < _NAME_BYTES, f"{event!r} is too long a name"
        self._memory[_NAME:_UNNAMED] = name.ljust(_NAME_BYTES, b"\0")
        self._memory[_AFTER] = is_after
        struct.pack_into("<I", self._memory, _COUNT, nth)
        self._memory[_BURNT] = 0
        self._memory[_ARMED] = 1

    def disarm(self) -> None:
        """Let the process live."""
        self._memory[_ARMED] = 0

    @property
    def has_burnt(self) -> bool:
        """Whether the process came to the point and died there."""
        return bool(self._memory[_BURNT])

    @property
    def unnamed(self) -> str:
        """The events of the last commit that no named point covers; empty = there was none."""
        return self._memory[_UNNAMED:SIZE].rstrip(b"\0").decode(errors="replace")

    # The process -------------------------------------------------------------------------------------------------

    def is_time(self, events: set[str], *, is_after: bool) -> bool:
        """Whether to die now, at a commit with these events."""
        if not self._memory[_ARMED] or bool(self._memory[_AFTER]) is not is_after:
            return False
        if self._memory[_NAME:_UNNAMED].rstrip(b"\0").decode() not in events:
            return False
        (left,) = struct.unpack_from("<I", self._memory, _COUNT)
        struct.pack_into("<I", self._memory, _COUNT, max(left - 1, 0))
        if left > 1:
            return False
        self._memory[_BURNT] = 1
        return True

    def note_unnamed(self, events: set[str]) -> None:
        """Tell of a commit that no named point covers."""
        text = ", ".join(sorted(events)).encode()[: SIZE - _UNNAMED]
        self._memory[_UNNAMED:SIZE] = text.ljust(SIZE - _UNNAMED, b"\0")
