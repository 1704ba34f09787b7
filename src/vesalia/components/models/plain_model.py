"""A network of an archive's own code that is plain PyTorch, in the slot of a model."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from typing import Any

from vesalia.components.models.wrapped import WrappedModel, constructor_arguments
from vesalia.registry.target import Brought

__all__ = ["PlainModel"]

_ADAPTERS_OWN = ("num_classes", "in_channels", "data_dims", "final_activation", "size_divisor", "reg_weight")
_SIZES = {"num_classes": 1, "in_channels": 1, "data_dims": 3}
_IGNORED = ("data_format", "dtype")


class PlainModel(WrappedModel):
    """Wraps a ``torch.nn.Module`` that is no :class:`~vesalia.components.models.base.Model`.

    Its output counts as logits, unless its constructor has a parameter ``final_activation``: then it activates itself.

    Args:
        brought: The class.
        **arguments: Its arguments, and those of :class:`~vesalia.components.models.library_model.LibraryModel` beyond
            them; of the latter each goes to the class instead where its constructor names it.
    """

    def __init__(self, brought: Brought, **arguments: Any) -> None:
        names = inspect.signature(brought.made_of).parameters
        own = {name: arguments.pop(name) for name in _ADAPTERS_OWN if name in arguments}
        sizes = {name: own.pop(name, default) for name, default in _SIZES.items()}
        given = {name: value for name, value in arguments.items() if name in names or name not in _IGNORED}
        given.update({name: own.pop(name) for name in list(own) if name in names})
        super().__init__(
            brought.made_of(**constructor_arguments(brought.made_of, given, **sizes)),
            final_activation="linear" if "final_activation" in names else own.pop("final_activation", "softmax"),
            **sizes,
            **own,
        )
