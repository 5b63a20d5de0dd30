"""Memory for computations over columns of millions of numbers."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

# What glibc's mallopt calls them: how much free memory stays at the end of the heap, and from what size on an array
# gets pages of its own. Larger than this the second cannot be.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _LARGEST = -1, -3, 32 << 20


@contextmanager
def reused_memory() -> Iterator[None]:
    """Arrays that are let go serve those that follow; at the end everything free goes back to the system.

    glibc gives a large array back at once, and the system clears every page of the next one: a quarter of the time of
    a million lines. Where the C library is another one, nothing changes.
    """
    library = ctypes.CDLL(None)
    if not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
        yield
        return
    library.mallopt(_MMAP_THRESHOLD, _LARGEST)
    library.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)
    try:
        yield
    finally:
        # What glibc itself makes of the threshold once it has seen the largest array.
        library.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
        library.malloc_trim(0)
