"""Remember what a pure function of a text gave, by the text's digest: what was said earlier and what documents say comes
again with every turn. It keeps no text, forgets the oldest, and changes no result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last `most` results of one function. Safe in several threads: the worst that can happen is to work twice."""

    def __init__(self, function: Callable[[str], T], *, most: int) -> None:
        self._function = function
        self._most = most
        self._known: dict[bytes, T] = {}

    def of(self, text: str) -> T:
        """What the function gives for the text."""
        key = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._function(text)
        while len(self._known) > self._most:
            self._known.pop(next(iter(self._known), key), None)
        return found
