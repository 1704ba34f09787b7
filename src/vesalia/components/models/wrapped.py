"""A plain PyTorch network as a model: its output is logits, and what it does not tell is found by trying."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from vesalia.components.models.base import FinalActivation, Model, Trained, activate
from vesalia.errors import ConfigError
from vesalia.registry.catalog import FILLED
from vesalia.registry.library import CHANNEL_NAMES, CLASS_COUNT_NAMES

__all__ = ["NetworkFacts", "WrappedModel", "constructor_arguments", "explore"]

_DIVISORS = (1, 2, 4, 8, 16, 32, 64)
_LEAST_TRIED = 96
"""Edge in voxels of the smallest image that is tried; no memory is used for it."""


_MEANINGS: Mapping[str, str] = {
    **dict.fromkeys(CLASS_COUNT_NAMES, "num_classes"),
    **dict.fromkeys(CHANNEL_NAMES, "in_channels"),
    **dict.fromkeys(FILLED["model"], "data_dims"),
}
"""What networks call their sizes."""


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What trying a network has shown.

    Attributes:
        size_divisor: Each spatial size must be a multiple of this; 1 where it could not be told.
        least_size: The smallest multiple of it, of those tried, that the network takes.
        channels: Channels of the output; None where no size worked.
    """

    size_divisor: int = 1
    least_size: int = 1
    channels: int | None = None


class WrappedModel(Model):
    """A network that knows nothing of Vesalia.

    It is called with ``[B, in_channels, ...]`` and gives logits. Of several outputs the first counts; in training the
    loss judges those of deep supervision as well (MONAI's DynUNet with ``deep_supervision: true``). Under autocast on
    CPUs it stays in float32, see :mod:`vesalia.components.models.small_grids`: how deep its grids become is not known.

    Args:
        network: The network.
        num_classes: Channels of its output.
        in_channels: Channels of its input.
        data_dims: Spatial axes of the image.
        final_activation: What turns its output into probabilities.
        size_divisor: What spatial sizes must be a multiple of; None to find out.
        reg_weight: Weight of the L2 penalty on the kernels.

    Raises:
        ConfigError: The network gives another number of channels.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        num_classes: int,
        in_channels: int,
        data_dims: int,
        final_activation: FinalActivation,
        size_divisor: int | None = None,
        reg_weight: float = 0.0,
    ) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=reg_weight)
        facts = explore(network, in_channels=in_channels, data_dims=data_dims)
        if facts.channels not in {None, num_classes}:
            message = (
                f"num_classes: found {num_classes}, expected {facts.channels}, the channels that the network gives"
            )
            raise ConfigError(f"{message}; write {facts.channels}")
        self.network = network
        self.size_divisor = size_divisor or facts.size_divisor
        self.least_size = facts.least_size
        self.aliases = _find_aliases(self)
        self.register_state_dict_post_hook(_leave_out_aliases)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_put_in_aliases)  # type: ignore[no-untyped-call]

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, ...]`` to ``[B, num_classes, ...]`` (or ``[B, num_classes]``) before the activation."""
        return _first_output(self._outputs(image), image)

    def forward(self, image: torch.Tensor) -> torch.Tensor | Trained:
        """Probabilities; in training those of deep supervision as well, where the network gives them."""
        if not self.training:
            return super().forward(image)
        first, *deeper = _all_outputs(self._outputs(image), image, channels=self.num_classes)
        probabilities = activate(first, self.final_activation)
        if not deeper:
            return probabilities
        own_loss = image.new_zeros(())
        return Trained(probabilities, own_loss, tuple(activate(logits, self.final_activation) for logits in deeper))

    def _outputs(self, image: torch.Tensor) -> Any:
        self.check_size(image)
        if image.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return self.network(image)
        with torch.autocast("cpu", enabled=False):
            return self.network(image.float())


def _find_aliases(model: nn.Module) -> dict[str, str]:
    """Further names of weights that a network holds in several places, and the first name of each."""
    first: dict[int, str] = {}
    aliases: dict[str, str] = {}
    tensors = (*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False))
    for name, tensor in tensors:
        known = first.setdefault(id(tensor), name)
        if known != name:
            aliases[name] = known
    return aliases


def _aliases_of(module: nn.Module) -> dict[str, str]:
    return module.aliases if isinstance(module, WrappedModel) else {}


def _leave_out_aliases(module: nn.Module, state: dict[str, Any], prefix: str, _: object) -> None:
    """Each weight once: files of weights hold no two names for one tensor."""
    for alias in _aliases_of(module):
        state.pop(prefix + alias, None)


def _put_in_aliases(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    for alias, name in _aliases_of(module).items():
        if prefix + name in state:
            state.setdefault(prefix + alias, state[prefix + name])


def _first_output(output: Any, image: torch.Tensor) -> torch.Tensor:
    """The main output of a network that gives several, in a list or along an axis after the batch."""
    while isinstance(output, list | tuple):
        output = output[0]
    result: torch.Tensor = output[:, 0] if output.ndim == image.ndim + 1 else output
    return result


def _all_outputs(output: Any, image: torch.Tensor, *, channels: int) -> list[torch.Tensor]:
    """The main output, and those that are like it on the same or on a coarser grid."""
    first = _first_output(output, image)
    if first.ndim != image.ndim:
        return [first]
    if isinstance(output, torch.Tensor):
        return [first] if output is first else list(output.unbind(1))
    others = list(output)[1:] if isinstance(output, list | tuple) else []
    alike = [each for each in others if isinstance(each, torch.Tensor) and each.ndim == first.ndim]
    alike = [each for each in alike if each.shape[1] == channels]
    return [first, *sorted(alike, key=lambda each: each[0, 0].numel(), reverse=True)]


def explore(network: nn.Module, *, in_channels: int, data_dims: int) -> NetworkFacts:
    """Try a copy of a network without memory (torch's ``meta`` device) on sizes of several divisors.

    A network that cannot be tried, or that takes one size only, is taken at its word: divisor 1.
    """
    try:
        twin = copy.deepcopy(network).to("meta").eval()
    except (RuntimeError, TypeError, ValueError):
        return NetworkFacts()
    for divisor in _DIVISORS:
        odd = _LEAST_TRIED // divisor | 1
        sizes = [[divisor * (odd + 2 * more)] * (data_dims - 1) + [divisor * (odd + 2)] for more in (0, 1)]
        outputs = [_try(twin, torch.empty(1, in_channels, *size, device="meta")) for size in sizes]
        channels = {output.shape[1] for output in outputs if output is not None}
        if len(channels) == 1 and None not in outputs:
            return NetworkFacts(divisor, _least(twin, in_channels, data_dims, divisor), channels.pop())
    return NetworkFacts()


def _least(twin: nn.Module, in_channels: int, data_dims: int, divisor: int) -> int:
    """The smallest size that works: normalisations refuse grids of one voxel, for one."""
    sizes = [divisor * multiple for multiple in (1, 2, 3, 4, 8)]
    images = (torch.empty(1, in_channels, *[size] * data_dims, device="meta") for size in sizes)
    return next((image.shape[-1] for image in images if _try(twin, image) is not None), divisor)


def _try(twin: nn.Module, image: torch.Tensor) -> torch.Tensor | None:
    """The output, or None where the size does not suit the network."""
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output = _first_output(twin(image), image)
    except Exception:  # noqa: BLE001 - foreign code may refuse a size with any error; a real one comes again in use
        return None
    return output if output.ndim == 2 or output.shape[2:] == image.shape[2:] else None


def constructor_arguments(
    made_of: type, given: Mapping[str, Any], *, num_classes: int, in_channels: int, data_dims: int
) -> dict[str, Any]:
    """What a network's constructor gets: what it is given, and the sizes it asks for, by whatever name it does.

    Args:
        made_of: The network's class.
        given: Its arguments as the config has them.
        num_classes: Channels of the output.
        in_channels: Channels of the input.
        data_dims: Spatial axes.
    """
    sizes = {"num_classes": num_classes, "in_channels": in_channels, "data_dims": data_dims}
    names = inspect.signature(made_of).parameters
    known = {name: sizes[meaning] for name, meaning in _MEANINGS.items() if name in names}
    return {**known, **given}
