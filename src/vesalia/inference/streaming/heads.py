"""The last layer of a network, set aside: where it looks at one voxel at a time, it can be applied slab by slab.

Most networks for segmentation end in a convolution of one voxel that makes as many channels as there are classes. The
volume that it would give is by far the largest of all; without it, memory does not depend on the number of classes.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["Pointwise", "SetAside", "find_head", "set_aside"]

Run = Callable[[torch.Tensor], torch.Tensor]
Pointwise = nn.Conv2d | nn.Conv3d


@dataclass(slots=True)
class SetAside:
    """What the last layer was asked.

    Attributes:
        features: Its input ``[B, F, *spatial]``; None where it was not reached.
        stand_in: What was given in place of its output, without memory of its own.
        autocast: Whether it was asked under autocast.
    """

    features: torch.Tensor | None = None
    stand_in: torch.Tensor | None = None
    autocast: bool = False


def find_head(model: nn.Module, run: Run, *, image: torch.Tensor) -> Pointwise | None:
    """The layer whose output is the network's own, if it looks at one voxel at a time; None where there is no such.

    Args:
        model: The network.
        run: Gives its output before the activation.
        image: A small image to try it on.
    """
    outputs: dict[int, Pointwise] = {}

    def note(module: nn.Module, _: object, output: object) -> None:
        if isinstance(module, Pointwise):
            outputs[id(output)] = module

    hooks = [module.register_forward_hook(note) for module in model.modules() if _is_pointwise(module)]
    try:
        return outputs.get(id(run(image))) if hooks else None
    except Exception:  # noqa: BLE001 - foreign code may refuse a small image with any error; then nothing is set aside
        return None
    finally:
        for hook in hooks:
            hook.remove()


def _is_pointwise(module: nn.Module) -> bool:
    if not isinstance(module, Pointwise):
        return False
    ones = (module.kernel_size, module.stride, module.dilation)
    return all(set(sizes) == {1} for sizes in ones) and set(module.padding) == {0} and module.groups == 1


@contextmanager
def set_aside(head: Pointwise) -> Iterator[SetAside]:
    """Within it, ``head`` notes its input and does nothing."""
    noted = SetAside()

    def note(features: torch.Tensor) -> torch.Tensor:
        shape = (len(features), head.out_channels, *features.shape[2:])
        noted.features, noted.autocast = features, torch.is_autocast_enabled(features.device.type)
        noted.stand_in = features.new_zeros(()).expand(shape)
        return noted.stand_in

    head.forward = note  # type: ignore[method-assign, assignment] # this object's own goes before the class's
    try:
        yield noted
    finally:
        del head.forward
