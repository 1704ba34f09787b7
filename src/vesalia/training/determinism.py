"""Same seed, same weights: where the seed comes from, and what else must hold."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from vesalia.mmar.sections import SEED_NAMES

__all__ = ["choose_seed", "deterministic_algorithms"]

_LARGEST = 2**31


def choose_seed(asked: int | None, determinism: Mapping[str, Any] | None) -> int:
    """The run's one seed: the one asked for, else the first in v3's ``determinism`` block, else a new one."""
    if asked is not None:
        return asked
    given = [determinism[key] for key in SEED_NAMES if determinism and determinism.get(key) not in {None, ""}]
    return int(given[0]) if given else secrets.randbelow(_LARGEST)


@contextlib.contextmanager
def deterministic_algorithms(*, wanted: bool) -> Iterator[None]:
    """Inside, torch picks algorithms that give the same result each time, and the global dice are put back after."""
    before = torch.are_deterministic_algorithms_enabled()
    before_warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.use_deterministic_algorithms(before or wanted, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before, warn_only=before_warn_only)
