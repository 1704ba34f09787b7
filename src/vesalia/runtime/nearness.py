"""What a misspelt word most probably means: the one judge behind every 'did you mean'."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]

_NEAR_ENOUGH = 0.75
"""Above what harmless extra keys of old configs share with known ones, below a letter too many in a short word."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most probably means, case aside; None where nothing is near."""
    folded = {entry.lower(): entry for entry in known}
    close = get_close_matches(word.lower(), folded, 1, _NEAR_ENOUGH)
    return folded[close[0]] if close else None
