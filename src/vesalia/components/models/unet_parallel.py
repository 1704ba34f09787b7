"""v3's UnetParallel: a Unet whose layers v3 spread over several GPUs."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.components.models.unet import Unet

__all__ = ["UnetParallel"]


class UnetParallel(Unet):
    """The same network as :class:`~vesalia.components.models.unet.Unet`, on one device."""
