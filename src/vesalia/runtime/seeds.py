"""The tree of seeds: run > part > epoch > item, each a generator that is handed down.

Threads have no branch of their own: what a worker draws depends on its item, so their number changes nothing.
A seed below another is a hash of the path, so that adding a branch never changes its neighbours.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import torch

__all__ = ["derive", "generator", "seed_global"]

_BITS = 63


def derive(seed: int, *path: str | int) -> int:
    """A 63-bit seed for the branch ``path`` of the tree below ``seed``."""
    text = "/".join([str(seed), *map(str, path)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)


def generator(seed: int, *path: str | int) -> torch.Generator:
    """A generator of its own for the branch ``path`` of the tree below ``seed``."""
    return torch.Generator().manual_seed(derive(seed, *path))


def seed_global(seed: int, *, device: torch.device) -> None:
    """Seed the one generator that dropout knows, torch's global one, for a network on ``device``.

    ``torch.manual_seed`` also keeps the seed, with the stack of its caller, for each kind of device that is not in use:
    some milliseconds, in every step.
    """
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
