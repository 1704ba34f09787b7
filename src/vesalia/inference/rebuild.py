"""From a card to the network it names; names are looked up anew, never imported on a file's word."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from vesalia.errors import CheckpointError, ConfigError
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.build import build
from vesalia.mmar.plan import ComponentPlan

__all__ = ["rebuild_model"]


def rebuild_model(
    card: Mapping[str, Any], *, where: str, archive: ArchiveFolder | None = None, allow_custom_code: bool = False
) -> nn.Module:
    """Build the network of a card, with fresh weights.

    Args:
        card: What :func:`vesalia.inference.card.read_card` gave.
        where: The card's file, for messages.
        archive: The archive that holds the code of a custom network.
        allow_custom_code: Whether that code may run.

    Raises:
        CheckpointError: The class is not known here, or does not take the arguments in the card.
        CustomCodeRefused: The network is custom code and ``allow_custom_code`` is false.
    """
    try:
        component = ComponentPlan.from_dict(
            card["model"], archive=archive, allow_custom_code=allow_custom_code, file=where
        )
        model = build(component, archive=archive, in_channels=card["in_channels"])
    except ConfigError as error:
        name = card["model"].get("name", "a network without a name")
        message = (
            f"{where}: model: found {name}, which this version cannot build; install the plug-in that brings it or the "
            f"version in the card's versions, or train again: {error}"
        )
        raise CheckpointError(message) from error
    if not isinstance(model, nn.Module):
        message = f"{where}: model: found {component.name}, which is no network, expected the name of a model"
        raise CheckpointError(message)
    return model
