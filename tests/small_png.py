"""A picture of a screen as a small PNG: 256 colours, each pixel the nearest of them; photographs it does not suit."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

COLOURS_MAX = 256
RARE = 96
"""So many of the colours are the ones that would be missed most, so that a single green dot stays green."""


def small_png(pixels: np.ndarray[Any, Any]) -> bytes:
    """Write pixels (height × width × 3, uint8) as a PNG with a palette of their commonest colours."""
    height, width, _ = pixels.shape
    packed = (pixels.astype(np.uint32) << np.array([16, 8, 0], dtype=np.uint32)).sum(axis=2, dtype=np.uint32)
    colours, place, counts = np.unique(packed, return_inverse=True, return_counts=True)
    kept = _palette(colours, counts)
    far = np.abs(_channels(colours)[:, None, :] - _channels(kept)[None, :, :]).sum(axis=2)
    indices = far.argmin(axis=1).astype(np.uint8)[place.reshape(height, width)]
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each begins with its filter: none
    rows[:, 1:] = indices
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", _channels(kept).astype(np.uint8).tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _palette(colours: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The commonest colours, and then each time the one that is furthest from all that are kept."""
    kept = list(np.argsort(counts)[::-1][: COLOURS_MAX - RARE])
    channels = _channels(colours)
    far = np.abs(channels[:, None, :] - channels[kept][None, :, :]).sum(axis=2).min(axis=1)
    while len(kept) < COLOURS_MAX and far.max() > 0:
        kept.append(int(far.argmax()))
        far = np.minimum(far, np.abs(channels - channels[kept[-1]]).sum(axis=1))
    return colours[np.sort(kept)]


def _channels(packed: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.stack([(packed >> shift) & 255 for shift in (16, 8, 0)], axis=-1).astype(np.int32)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
