"""Which voxels belong to which class, in a prediction and in its label: the one rule of all metrics of overlap."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass

import torch

from vesalia.errors import DataError
from vesalia.imaging.overlap import require_same_shape, sums_to_one

__all__ = ["ClassMaps", "ClassMasks", "ClassRule"]

_EVEN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ClassMaps:
    """Each voxel belongs to one class.

    Attributes:
        predicted: ``[*spatial]`` class numbers.
        wanted: The same of the label; a number outside the classes belongs to none.
        classes: How many there are.
    """

    predicted: torch.Tensor
    wanted: torch.Tensor
    classes: int

    def of_class(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The voxels of one class, predicted and wanted."""
        return self.predicted == number, self.wanted == number


@dataclass(frozen=True, slots=True, eq=False)
class ClassMasks:
    """Each class for itself.

    Attributes:
        predicted: ``[C, *spatial]``, boolean.
        wanted: The same of the label.
    """

    predicted: torch.Tensor
    wanted: torch.Tensor

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.predicted)

    def of_class(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The voxels of one class, predicted and wanted."""
        return self.predicted[number], self.wanted[number]


@dataclass(frozen=True, slots=True)
class ClassRule:
    """How a field and a label are read.

    Several channels are probabilities, one per class. Channels that sum to one (softmax) over more than two classes
    are decided by the largest, since no class need reach a half; all others, and all with a ``logit_thresh`` other
    than 0.5, channel by channel at ``logit_thresh``. One channel is a mask, and what is above ``logit_thresh`` is
    compared with what is above 0 in the label; with ``num_classes`` it is a map of class numbers.

    Attributes:
        logit_thresh: The probability above which a voxel belongs to a class.
        is_one_hot_targets: The label has a channel per class already.
        num_classes: Classes of a field that is a map of class numbers, background included.
    """

    logit_thresh: float = _EVEN
    is_one_hot_targets: bool = False
    num_classes: int | None = None

    def read(self, predicted: torch.Tensor, wanted: torch.Tensor) -> ClassMaps | ClassMasks:
        """What ``[C, *spatial]`` prediction and label say of each class.

        Raises:
            DataError: Their shapes or channels do not fit, or the prediction has numbers beyond the classes.
        """
        classes = len(predicted)
        if classes == len(wanted) == 1 and self.num_classes is not None:
            require_same_shape(predicted, wanted)
            return _of_map(predicted[0].long(), wanted[0], self.num_classes)
        self._require_channels(len(wanted), classes)
        require_same_shape(predicted[0], wanted[0])
        exclusive = classes > 2 and self.logit_thresh == _EVEN and sums_to_one(predicted)
        if exclusive and not self.is_one_hot_targets:
            return ClassMaps(predicted.argmax(0), wanted[0], classes)
        numbers = torch.arange(classes, device=predicted.device).view(-1, *[1] * (predicted.ndim - 1))
        masks = predicted.argmax(0) == numbers if exclusive else predicted > self.logit_thresh
        return ClassMasks(masks, wanted > 0 if len(wanted) == classes else wanted == numbers)

    def _require_channels(self, found: int, classes: int) -> None:
        expected = classes if self.is_one_hot_targets else 1
        if found != expected:
            message = (
                f"found a label with {found} channels for {classes} predicted, expected {expected}; write "
                f"is_one_hot_targets: {str(not self.is_one_hot_targets).lower()}, or mend the label"
            )
            raise DataError(message)


def _of_map(predicted: torch.Tensor, wanted: torch.Tensor, classes: int) -> ClassMaps:
    largest = int(predicted.max()) if predicted.numel() else 0
    if largest >= classes:
        message = f"found class {largest} in the prediction, expected numbers below num_classes ({classes}); write "
        raise DataError(message + f"num_classes: {largest + 1}")
    return ClassMaps(predicted, wanted, classes)
