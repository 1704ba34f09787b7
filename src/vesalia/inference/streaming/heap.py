"""Memory that the C library holds though nobody uses it: blocks of many sizes leave holes, and it keeps them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import psutil

from vesalia.runtime.memory import give_back_memory

__all__ = ["Heap"]

_GROWTH_BYTES: Final = 64_000_000


@dataclass(slots=True)
class Heap:
    """Has unused memory given back from time to time.

    Attributes:
        growth_bytes: How much the process may grow before it is asked to.
    """

    growth_bytes: int = _GROWTH_BYTES
    _process: psutil.Process = field(default_factory=psutil.Process)
    _least_bytes: int = 0

    def tidy(self) -> bool:
        """Give back where the process has grown; tells whether it had."""
        resident = int(self._process.memory_info().rss)
        self._least_bytes = min(self._least_bytes or resident, resident)
        if resident - self._least_bytes < self.growth_bytes:
            return False
        give_back_memory()
        self._least_bytes = int(self._process.memory_info().rss)
        return True
