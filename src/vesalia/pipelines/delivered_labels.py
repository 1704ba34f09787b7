"""Labels that the network has no class for as they are kept, and that later steps may give other values."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.verify import LABEL
from vesalia.runtime.seeds import generator
from vesalia.transforms.base import Invertible, Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.post.save_as_nifti import SaveAsNifti

__all__ = ["DeliveredLabels"]

_LOOKS = 3
"""Times the dice are thrown: one crop may miss what another one shows."""


class DeliveredLabels:
    """What becomes of a label on its way to the network.

    Args:
        steps: The steps behind what is kept.
        restoring: Those before them, which undo the form in which items are kept.

    Attributes:
        steps: The steps that may give labels other values, such as masks of classes that are made after a crop.
    """

    def __init__(self, steps: Sequence[Transform[Any]], *, restoring: Sequence[Transform[Any]] = ()) -> None:
        self.steps = tuple(step for step in steps if _may_change_labels(step))
        looked_at = [step for step in steps if not isinstance(step, SaveAsNifti)]  # looking leaves no files
        self._chain = Compose([*restoring, *looked_at])

    def of(self, sample: Sample, *, seed: int) -> list[Volume]:
        """The labels of some throws of the dice.

        Args:
            sample: The item, prepared for the first step.
            seed: Root of the dice.

        Raises:
            DataError: A step failed, or there is no label behind them.
        """
        throws = (self._chain(sample, generator(seed, "label", sample.name, look)) for look in range(_LOOKS))
        return [found[LABEL] for found in throws]


def _may_change_labels(step: Transform[Any]) -> bool:
    fields = getattr(step, "fields", None) or (getattr(step, "field", LABEL),)
    changes = step.changes_values
    return LABEL in fields and (changes if changes is not None else not isinstance(step, Invertible))
