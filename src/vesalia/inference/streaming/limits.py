"""What a device had no memory for: learnt from one subject, held to with the next."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from vesalia.runtime.memory import give_back_memory

__all__ = ["Limits", "free_bytes", "free_cached"]

_SHARE_OF_DEVICE: Final = 0.5
"""Of an accelerator's free memory, what sums may take; more of them are kept in the machine's."""


@dataclass(slots=True)
class Limits:
    """What not to try again.

    Attributes:
        windows: Windows in a pass, at most; None while any number went well.
        waiting_bytes: What waited when the accelerator ran full.
    """

    windows: int | None = None
    waiting_bytes: float = float("inf")

    def group(self, batch_size: int) -> int:
        """How many windows to bring through the network at a time."""
        return batch_size if self.windows is None else min(batch_size, self.windows)

    def holds(self, needed_bytes: float, device: torch.device) -> bool:
        """Whether a device is to be tried with so much to keep."""
        if device.type == "cpu":
            return True
        return needed_bytes < self.waiting_bytes and needed_bytes <= _SHARE_OF_DEVICE * free_bytes(device)


def free_bytes(device: torch.device) -> float:
    """The free memory of an accelerator; endless where nobody says."""
    return float(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else float("inf")


def free_cached(device: torch.device) -> None:
    """Have memory given back that is not in use but kept for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    else:
        give_back_memory()
