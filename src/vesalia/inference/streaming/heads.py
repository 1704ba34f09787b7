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
        stand_in: What was given in place of its output: a shape without memory. Nobody can read it, and writing into
            it leaves a trace.
        autocast: Whether it was asked under autocast.
        times: How often it was asked.
    """

    features: torch.Tensor | None = None
    stand_in: torch.Tensor | None = None
    autocast: bool = False
    times: int = 0

    def is_all_of(self, output: torch.Tensor) -> bool:
        """Whether a network's output is what the layer gave, once, and untouched."""
        return output is self.stand_in and self.times == 1 and _version(output) == 0


def find_head(model: nn.Module, run: Run, *, image: torch.Tensor) -> Pointwise | None:
    """The layer whose output is the network's own, if it looks at one voxel at a time; None where there is no such.

    A layer that is used twice is none, nor one whose output is changed in place afterwards.

    Args:
        model: The network.
        run: Gives its output before the activation.
        image: A small image to try it on.
    """
    given: list[tuple[Pointwise, torch.Tensor, int, torch.Tensor]] = []

    def note(module: nn.Module, _: object, output: object) -> None:
        if isinstance(module, Pointwise) and isinstance(output, torch.Tensor):
            given.append((module, output, _version(output), output.clone()))

    hooks = [module.register_forward_hook(note) for module in model.modules() if _is_pointwise(module)]
    try:
        result = run(image) if hooks else None
        ends = [
            module
            for module, output, version, copy in given
            if output is result and _version(output) == version and torch.equal(output, copy)
        ]
    except Exception:  # noqa: BLE001 - foreign code may refuse a small image with any error; then nothing is set aside
        return None
    finally:
        for hook in hooks:
            hook.remove()
    used_once = len(ends) == 1 and sum(module is ends[0] for module, *_ in given) == 1
    return ends[0] if used_once else None


def _version(values: torch.Tensor) -> int:
    """How often values were changed in place."""
    return int(values._version)  # noqa: SLF001 - torch has no other name for it


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
        noted.stand_in = torch.empty(shape, dtype=features.dtype, device="meta")
        noted.times += 1
        return noted.stand_in

    head.forward = note  # type: ignore[method-assign, assignment] # this object's own goes before the class's
    try:
        yield noted
    finally:
        del head.forward
