"""What is known of a set of weights: the card, in the header of the tensors' file and as JSON beside it.

The header is written together with the tensors and decides. The JSON is for people and other tools, and holds the train
config too; where it is missing, or left over from other weights, the header's card stands alone.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from vesalia.errors import CheckpointError
from vesalia.inference.checkpoint_names import card_file, checkpoint_prefix, weights_file
from vesalia.mmar.plan import ComponentPlan
from vesalia.runtime.jsonfile import as_json

__all__ = ["FORMAT", "FORMAT_VERSION", "choose_card", "header_metadata", "model_card", "read_card", "read_header"]

FORMAT: Final = "vesalia-model"
FORMAT_VERSION: Final = 1
_IN_HEADER: Final = "vesalia"
_LARGEST_HEADER: Final = 100_000_000
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
    name, value = metric or ("", None)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": model.to_dict(),
        "in_channels": in_channels,
        "class_names": list(class_names),
        "epoch": epoch,
        "metric": {"name": name, "value": as_json(value)} if name else None,
        **more,
        "versions": dict(versions or {}),
        "config": dict(config),
    }


def read_card(name: Path | str) -> dict[str, Any]:
    """The card of the weights that ``name`` stands for; the tensors are not read.

    Raises:
        CheckpointError: There is no card, or it is not one that this version can read.
    """
    prefix = checkpoint_prefix(name)
    try:
        with weights_file(prefix).open("rb") as stream:
            header = read_header(stream)
    except OSError:
        header = {}
    return choose_card(prefix, header)


def header_metadata(card: Mapping[str, Any]) -> dict[str, str]:
    """``card`` for the header of a tensors' file.

    The train config stays out: it names folders, and equal weights are to give equal bytes wherever they were trained.
    """
    return {_IN_HEADER: json.dumps(as_json({key: value for key, value in card.items() if key != "config"}))}


def read_header(stream: BinaryIO) -> dict[str, Any]:
    """The header of a safetensors file as it is; empty where the file does not begin with one."""
    size = int.from_bytes(stream.read(8), "little")
    text = stream.read(min(size, _LARGEST_HEADER))
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def choose_card(prefix: Path, header: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON card of ``prefix`` if it belongs to the tensors with ``header``, else the card in that header.

    Raises:
        CheckpointError: There is neither, or it is not one that this version can read.
    """
    within = _within(weights_file(prefix), header)
    if within is None:
        return _beside(card_file(prefix))
    try:
        beside = _beside(card_file(prefix))
    except CheckpointError:
        return within
    return beside if beside["sha256"] == within["sha256"] else within


def _within(path: Path, header: Mapping[str, Any]) -> dict[str, Any] | None:
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or _IN_HEADER not in metadata:
        return None
    try:
        card = json.loads(metadata[_IN_HEADER])
    except (TypeError, ValueError, RecursionError):
        card = None
    _check(path, card)
    return dict(card)


def _beside(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = (
            f"{path}: found no card beside the weights and none in them, expected a model that Vesalia saved; "
            "copy .safetensors and .json together, or train again"
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
