"""One subject's image through the network: a volume in, a volume of probabilities on the same grid out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.errors import DataError, ResourceError
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.inference.streaming.deciding import Decision
from vesalia.inference.streaming.network import Network
from vesalia.inference.streaming.prediction import Streaming, streams
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
        network: The network as it is run window by window; None for a predictor that was not made :meth:`ready`.
    """

    model: nn.Module
    inferer: Inferer
    device: torch.device = CPU
    precision: Autocast = nullcontext
    network: Network | None = None

    @classmethod
    def ready(
        cls, model: nn.Module, inferer: Inferer, *, device: torch.device = CPU, precision: Autocast = nullcontext
    ) -> Predictor:
        """Bring ``model`` to ``device`` and into eval mode, in the memory layout that suits the device."""
        model = model.to(device).eval()
        # Convolutions on processors are faster when channels lie side by side.
        Precision("32-true", channels_last=device.type == "cpu").arrange_model(model)
        return cls(model, inferer, device, precision, Network(model, device, precision))

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
        with self._memory_told(sample.name, data):
            probabilities = self._run(data)
        shaped = probabilities if volume.batched else probabilities[0]
        if probabilities.ndim == 2:
            return sample.with_fields(model=Volume(shaped, channel="first", batched=volume.batched))
        predicted = Volume(shaped, volume.affine, "first", batched=volume.batched, source=volume.source)
        return sample.with_fields(model=predicted)

    def decided(self, sample: Sample, chain: StreamedChain) -> Sample | None:
        """``sample`` with ``[1, D, H, W]`` labels or ``[C, D, H, W]`` masks as the field ``model``.

        Windows are blended, brought to the chain's grid and decided as they come; probabilities are never there as a
        whole. None where the image or the inferer does not allow it.

        Args:
            sample: The subject, its pre-transforms done.
            chain: What of the post-transforms is done to it.

        Raises:
            DataError: The image has other channels than the network was trained on.
            ResourceError: The memory of the device is not enough.
        """
        volume = sample["image"]
        inferer, network = self.inferer, self.network
        target = None if volume.batched or volume.channel == "none" else chain.target(sample)
        if target is None or network is None or not streams(inferer):
            return None
        if chain.threshold is None and getattr(self.model, "num_classes", 2) < 2:
            return None  # ArgmaxAcrossChannels says what is wrong
        data = volume.as_batch()[0]
        self._require_channels(sample.name, len(data))
        windows = inferer.windows(data.shape[1:], size_divisor=network.size_divisor, lean=True)
        sink = Decision(target, threshold=chain.threshold)
        with self._memory_told(sample.name, data.unsqueeze(0)):
            Streaming(network, windows, inferer.mode, inferer.batch_size).run(data, sink)
        affine = volume.affine if chain.restored_from is None else target.grid.affine
        source = volume.source if chain.restored_from is None else sample[chain.restored_from].source
        return sample.with_fields(model=Volume(torch.from_numpy(sink.result), affine, "first", source=source))

    @contextmanager
    def _memory_told(self, subject: str, data: torch.Tensor) -> Iterator[None]:
        """Where memory runs out, say what to do about it."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            found = f"too little memory on {self.device} for an image of {list(data.shape[2:])} voxels"
            message = f"{subject}: found {found}, expected room; write a smaller batch_size or roi_size for "
            message += "the inferer, or use another device"
            raise ResourceError(message) from error

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
