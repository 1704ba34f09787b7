"""The memory of a GPU that the caches of a run have together: training and validation share one account."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from weakref import WeakValueDictionary

import torch

from vesalia.errors import ResourceError

__all__ = ["Account", "account_of", "gpu_of_this_process"]

_GPU_PART = 0.6
"""Part of a GPU's free memory that caches may take together: the network needs the rest."""


class Account:
    """Bytes that several stores may take together.

    Attributes:
        limit: How many.
    """

    def __init__(self, limit: int = 0) -> None:
        """Begin with nothing taken."""
        self.limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Bytes that stores have."""
        return self._taken

    @property
    def left(self) -> int:
        """Bytes that are still to be had."""
        return max(0, self.limit - self._taken)

    def take(self, size: int) -> bool:
        """Take so many bytes, if they are left."""
        with self._lock:
            fits = self._taken + size <= self.limit
            self._taken += size * fits
        return fits

    def give(self, size: int) -> None:
        """Give so many back."""
        with self._lock:
            self._taken -= size


_ACCOUNTS: WeakValueDictionary[torch.device, Account] = WeakValueDictionary()
"""Those that stores hold: the next run measures anew."""


def gpu_of_this_process(asked: str) -> torch.device:
    """The GPU with its number: threads, which begin with the first one, must not choose another than this one's.

    Raises:
        ResourceError: There is no GPU.
    """
    if not torch.cuda.is_available():
        raise ResourceError(f'cache_device: found "{asked}" and no such GPU, expected one; write "cpu"')
    return torch.device(asked, torch.cuda.current_device())


def account_of(gpu: torch.device) -> Account:
    """What the caches on a GPU may take; measured while none of them has anything."""
    account = _ACCOUNTS.setdefault(gpu, Account())
    if account.taken == 0:
        account.limit = int(torch.cuda.mem_get_info(gpu)[0] * _GPU_PART)
    return account
