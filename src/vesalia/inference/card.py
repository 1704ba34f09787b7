"""What is known of a set of weights: the card, a JSON file beside the tensors."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from vesalia.errors import CheckpointError
from vesalia.inference.checkpoint_names import card_file, checkpoint_prefix
from vesalia.mmar.plan import ComponentPlan

__all__ = ["FORMAT", "FORMAT_VERSION", "model_card", "read_card"]

FORMAT: Final = "vesalia-model"
FORMAT_VERSION: Final = 1
_NEEDED: Final = {"model": dict, "in_channels": int, "class_names": list, "sha256": str}


def model_card(
    model: ComponentPlan,
    *,
    in_channels: int,
    class_names: Sequence[str],
    config: Mapping[str, Any],
    epoch: int,
    metric: tuple[str, float] | None = None,
    versions: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The card of a model, ready for :func:`vesalia.inference.weights.save_weights`.

    Args:
        model: The component that the network was built from.
        in_channels: Channels of the input.
        class_names: A name per output channel, the background's included.
        config: The whole train config, variables put in.
        epoch: The epoch the weights are of, counted from 1; 0 for weights that were never trained.
        metric: Name and value of the key metric; None where nothing was validated.
        versions: Versions of the packages that trained.
        **more: Further facts, such as ``step`` or ``seconds``.
    """
    name, value = metric or ("", math.nan)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": model.to_dict(),
        "in_channels": in_channels,
        "class_names": list(class_names),
        "epoch": epoch,
        "metric": {"name": name, "value": value if math.isfinite(value) else None} if name else None,
        **more,
        "versions": dict(versions or {}),
        "config": dict(config),
    }


def read_card(name: Path | str) -> dict[str, Any]:
    """The card beside the weights that ``name`` stands for; the tensors are not read.

    Raises:
        CheckpointError: There is no card, or it is not one that this version can read.
    """
    path = card_file(checkpoint_prefix(name))
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = (
            f"{path}: found no card beside the weights, expected both files of a pair; the writing was interrupted or "
            "a file was left behind: copy .safetensors and .json together, or train again"
        )
        raise CheckpointError(message) from None
    except (OSError, ValueError) as error:
        message = f"{path}: found a card that cannot be read ({error}), expected JSON; copy the pair again"
        raise CheckpointError(message) from error
    _check(path, card)
    return dict(card)


def _check(path: Path, card: object) -> None:
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        message = f"{path}: found JSON that is not a model card, expected one with format {FORMAT!r}; give the prefix "
        raise CheckpointError(message + "of a model that Vesalia saved, such as models/model")
    version = card.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        message = (
            f"{path}: format_version: found {version!r}, expected at most {FORMAT_VERSION}; install a newer Vesalia"
        )
        raise CheckpointError(message)
    for key, kind in _NEEDED.items():
        if not isinstance(card.get(key), kind):
            message = (
                f"{path}: {key}: found {card.get(key)!r}, expected {kind.__name__}; copy the pair again or retrain"
            )
            raise CheckpointError(message)
