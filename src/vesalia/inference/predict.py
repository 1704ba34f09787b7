"""One subject's image through the network: a volume in, a volume of probabilities on the same grid out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.errors import DataError, ResourceError
from vesalia.imaging.volume import Sample, Volume
from vesalia.runtime.memory import is_out_of_memory
from vesalia.runtime.precision import Autocast, Precision

__all__ = ["CPU", "Predictor"]

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Predictor:
    """A network and the way an image takes through it.

    Attributes:
        model: The network, in eval mode, on ``device``.
        inferer: Brings images of any size through it.
        device: Where the network is.
        precision: Its number format; float32 by default.
    """

    model: nn.Module
    inferer: Inferer
    device: torch.device = CPU
    precision: Autocast = nullcontext

    @classmethod
    def ready(
        cls, model: nn.Module, inferer: Inferer, *, device: torch.device = CPU, precision: Autocast = nullcontext
    ) -> Predictor:
        """Bring ``model`` to ``device`` and into eval mode, in the memory layout that suits the device."""
        model = model.to(device).eval()
        # Convolutions on processors are faster when channels lie side by side.
        Precision("32-true", channels_last=device.type == "cpu").arrange_model(model)
        return cls(model, inferer, device, precision)

    def __call__(self, sample: Sample) -> Sample:
        """``sample`` with the prediction as the field ``model``: ``[C, D, H, W]`` float32 probabilities.

        A classifier gives ``[C]``, a vector without a place.

        Args:
            sample: The subject, its pre-transforms done; the field ``image`` goes in, also as a batch of one size.

        Raises:
            DataError: The image has other channels than the network was trained on.
            ResourceError: The memory of the device is not enough.
        """
        volume = sample["image"]
        data = volume.as_batch()
        self._require_channels(sample.name, data.shape[1])
        try:
            probabilities = self._run(data)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            found = f"too little memory on {self.device} for an image of {list(data.shape[2:])} voxels"
            message = f"{sample.name}: found {found}, expected room; write a smaller batch_size or roi_size for "
            message += "the inferer, or use another device"
            raise ResourceError(message) from error
        shaped = probabilities if volume.batched else probabilities[0]
        if probabilities.ndim == 2:
            return sample.with_fields(model=Volume(shaped, channel="first", batched=volume.batched))
        predicted = Volume(shaped, volume.affine, "first", batched=volume.batched, source=volume.source)
        return sample.with_fields(model=predicted)

    def _run(self, data: torch.Tensor) -> torch.Tensor:
        # Not inference_mode: its tensors can be used later only as copies, and these may fill the memory.
        with torch.no_grad(), self.precision():
            probabilities = self.inferer(data.float().to(self.device), cast("Model", self.model)).float().cpu()
        return probabilities.clone() if probabilities.is_inference() else probabilities

    def _require_channels(self, subject: str, found: int) -> None:
        expected = getattr(self.model, "in_channels", found)
        if found != expected:
            message = (
                f"{subject}: found an image with {found} channels, expected {expected} as the network was trained on; "
                "give the same images as in training, in the same order"
            )
            raise DataError(message)
