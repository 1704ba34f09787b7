"""Any loss class of PyTorch or MONAI in the slot of a loss; and plain losses of an archive's own code."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import nn

from vesalia.components.losses.base import Loss, log_smoothed, require_same_grid, targets_like
from vesalia.errors import ConfigError
from vesalia.registry.library import construct, load_library
from vesalia.registry.target import Brought

__all__ = ["LibraryLoss", "PlainLoss"]

_CLASS_NUMBERS = frozenset({"CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"})
"""Losses whose target holds the number of a class, without an axis for channels."""
_LOGITS = frozenset(
    {"CrossEntropyLoss", "NLLLoss", "FocalLoss", "DiceCELoss", "DiceFocalLoss", "GeneralizedDiceFocalLoss"}
)
_INDEPENDENT = frozenset({"BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"})
"""Losses that see each channel by itself, through a sigmoid."""


class LibraryLoss(Loss):
    """A class of ``monai.losses`` or ``torch.nn``; a config names it by ``path``, with the class's arguments.

    ``{"path": "monai.losses.DiceLoss", "args": {"softmax": true, "to_onehot_y": true}}`` is read as this component.
    Networks end in probabilities here. A class that wants logits gets the logarithms of the probabilities, whose
    softmax are the probabilities again (for a class that applies a sigmoid: log p - log(1 - p)). A label map is
    given as the class wants it: as it is with ``to_onehot_y``, as class numbers, or as a channel per class.

    Args:
        path: Dotted path of the class.
        arguments: The class's arguments.
        takes: What the class is given: logits, the network's output as it is, or (``auto``) what the class and its
            arguments ask for.

    Raises:
        ConfigError: There is no such class, or it takes other arguments.
    """

    def __init__(
        self,
        path: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        takes: Literal["auto", "logits", "probabilities"] = "auto",
    ) -> None:
        found = load_library("loss", path)
        if not issubclass(found, nn.Module):
            message = f'path: found "{path}", which is no loss, expected a class derived from torch.nn.Module'
            raise ConfigError(f'{message}; write for example "monai.losses.DiceLoss"')
        given = dict(arguments or {})
        name = found.__name__
        rows = [key for key in ("weight", "pos_weight") if _is_row(given.get(key))]
        weights = {key: torch.tensor(given[key], dtype=torch.float32) for key in rows}
        self.loss: nn.Module = construct(found, {**given, **weights})
        softmax, sigmoid = (bool(given.get(key)) for key in ("softmax", "sigmoid"))
        wants_logits = softmax or sigmoid or name in _LOGITS | _INDEPENDENT
        self.gives_logits = takes == "logits" or (takes == "auto" and wants_logits)
        focal = name == "FocalLoss" and not given.get("use_softmax")
        self.is_independent = sigmoid or focal or name in _INDEPENDENT
        self.keeps_label_map = bool(given.get("to_onehot_y"))
        self.wants_class_numbers = name in _CLASS_NUMBERS

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        probabilities = probabilities.float()
        wanted, name = self._target(probabilities, target), type(self.loss).__name__
        with torch.autocast(probabilities.device.type, enabled=False):
            try:
                value = self.loss.to(probabilities.device)(self._given(probabilities), wanted)
            except (AssertionError, IndexError, ValueError) as error:
                shapes = f"a prediction of {list(probabilities.shape)} and a label of {list(target.shape)}"
                message = (
                    f"loss: found {shapes}, which {name} refuses ({error}), expected what it takes; write other args"
                )
                raise ConfigError(message) from error
        return _scalar(value, name)

    def _given(self, probabilities: torch.Tensor) -> torch.Tensor:
        if not self.gives_logits:
            return probabilities
        logits = log_smoothed(probabilities, 0.0)
        if self.is_independent or probabilities.shape[1] == 1:
            logits = logits - log_smoothed(1 - probabilities, 0.0)
        return logits

    def _target(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        require_same_grid(probabilities, target)
        classes, channels = probabilities.shape[1], target.shape[1]
        if self.wants_class_numbers and channels == 1 and classes > 1:
            return target[:, 0].long()
        if self.keeps_label_map and channels == 1 and classes > 1:
            return target.float()
        return targets_like(probabilities, target, is_onehot=channels == classes > 1)


class PlainLoss(Loss):
    """Wraps a callable or ``torch.nn.Module`` of an archive's own code that is no :class:`Loss`.

    It is called with probabilities and the label, and gives a scalar.

    Args:
        brought: The class.
        **arguments: Its arguments.

    Raises:
        ConfigError: Its objects cannot be called.
    """

    def __init__(self, brought: Brought, **arguments: Any) -> None:
        made = brought.made_of(**arguments)
        if not callable(made):
            message = (
                f"{brought.made_of.__name__}: found a class whose objects cannot be called, expected a loss; write "
            )
            raise ConfigError(f"{message}def __call__(self, probabilities, target)")
        self.loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = made

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        if isinstance(self.loss, nn.Module):
            self.loss.to(probabilities.device)
        with torch.autocast(probabilities.device.type, enabled=False):
            value = self.loss(probabilities.float(), target)
        return _scalar(value, type(self.loss).__name__)


def _is_row(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, int | float) for each in value)


def _scalar(value: object, name: str) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        found = f"a tensor of {list(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise ConfigError(f"loss: found {found} from {name}, expected one number; write its mean as the result")
    return value.reshape(()).float()
