"""A model on disk: ``<prefix>.safetensors`` (tensors) and ``<prefix>.json`` (the card that says what they are).

The first file is whole by itself: its header holds the card as well, with the hash of the tensors. So a crash between
the two writings, or a copy of only the first, loses nothing, and damage is noticed on loading. Nothing here unpickles:
tensors and JSON only.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from vesalia.errors import CheckpointError
from vesalia.inference.card import choose_card, header_metadata, read_header
from vesalia.inference.checkpoint_names import (
    card_file,
    checkpoint_prefix,
    exported_files,
    tensorflow_files,
    weights_file,
)
from vesalia.inference.rebuild import rebuild_model
from vesalia.mmar.archive import ArchiveFolder
from vesalia.runtime.files import write_bytes, write_json

__all__ = ["LoadedModel", "load_weights", "read_tensors", "save_weights"]

_PICKLED = (".pt", ".pth")
_SHOWN = 8
"""Tensors that a message names before it only counts."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A network with its weights, ready to predict.

    Attributes:
        model: The network on the CPU, in eval mode.
        card: What is known of it; see :func:`vesalia.inference.card.model_card`.
        prefix: Where it was read from.
    """

    model: nn.Module
    card: Mapping[str, Any]
    prefix: Path

    @property
    def sha256(self) -> str:
        """The hash of the weights: which model this is."""
        return str(self.card["sha256"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name per output channel, the background's included."""
        return tuple(self.card["class_names"])


def save_weights(prefix: Path, model: nn.Module, *, card: Mapping[str, Any]) -> Path:
    """Write the weights of ``model`` and its ``card``; the same weights of the same training give the same bytes.

    Args:
        prefix: Path without suffix, such as ``models/model``.
        model: The network, on any device.
        card: What :func:`vesalia.inference.card.model_card` made.

    Returns:
        The file with the tensors.

    Raises:
        ResourceError: The disk is full; the older weights or these are whole then.
    """
    state = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in model.state_dict().items()}
    tensors = _tensor_bytes(save(state))
    facts = {"sha256": hashlib.sha256(tensors).hexdigest(), "tensors": len(state), "bytes": len(tensors)}
    whole = {**card, **facts}
    write_bytes(weights_file(prefix), save(state, metadata=header_metadata(whole)))
    write_json(card_file(prefix), whole)
    return weights_file(prefix)


def _tensor_bytes(content: bytes) -> memoryview:
    """The part of a safetensors file behind its header."""
    return memoryview(content)[8 + int.from_bytes(content[:8], "little") :]


def load_weights(
    name: Path | str, *, archive: ArchiveFolder | None = None, allow_custom_code: bool = False
) -> LoadedModel:
    """Build the network that the card names, and give it the weights.

    Args:
        name: A prefix (``models/model``), a folder, or a v3 name (``models/model.ckpt``, ``models/model.trt.pb``).
        archive: The archive that holds the code of a custom network.
        allow_custom_code: Whether that code may run.

    Raises:
        CheckpointError: Files are missing, torn or foreign, the class is not known, or tensors do not fit.
        CustomCodeRefused: The network is custom code and ``allow_custom_code`` is false.
    """
    prefix = checkpoint_prefix(name)
    tensors, card = read_tensors(prefix)
    model = rebuild_model(card, where=str(card_file(prefix)), archive=archive, allow_custom_code=allow_custom_code)
    _require_fit(prefix, model.state_dict(), tensors)
    model.load_state_dict(tensors)
    return LoadedModel(model.eval(), card, prefix)


def read_tensors(name: Path | str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the card that ``name`` stands for, checked to belong together.

    Raises:
        CheckpointError: Files are missing, torn or foreign.
    """
    prefix = checkpoint_prefix(name)
    path = weights_file(prefix)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(_missing(prefix, error)) from None
    card = choose_card(prefix, read_header(io.BytesIO(content)))
    if hashlib.sha256(_tensor_bytes(content)).hexdigest() != card["sha256"]:
        message = (
            f"{path}: found tensors whose hash differs from the one in their card, expected what was written; the file "
            "is damaged (an interrupted copy, a bad disk) or the card beside it is another one's: copy both files "
            "again, or train again"
        )
        raise CheckpointError(message)
    try:
        return load(content), card
    except SafetensorError as error:
        message = f"{path}: found a file that is not in safetensors format ({error}); copy the pair again"
        raise CheckpointError(message) from error


def _missing(prefix: Path, error: OSError) -> str:
    path = weights_file(prefix)
    foreign = tensorflow_files(prefix)
    if foreign:
        return (
            f"{foreign[0]}: found a TensorFlow checkpoint, expected {path.name}; TensorFlow weights cannot be read: "
            "train the archive anew with `vesalia train`, or copy a model that Vesalia trained "
            f"({path.name} and {card_file(prefix).name}) to {prefix.parent}"
        )
    if programs := exported_files(prefix):
        return (
            f"{programs[0]}: found an exported program without the weights it was made from, expected {path.name} "
            "beside it; the program is for other software, nothing is run by being read: copy "
            f"{path.name} and {card_file(prefix).name} to {prefix.parent}"
        )
    if (pickled := next((file for file in map(prefix.with_suffix, _PICKLED) if file.is_file()), None)) is not None:
        return (
            f"{pickled}: found a file of other software, expected {path.name}; write vesalia import-weights {pickled} "
            "and the archive first: it reads tensors, and runs no code"
        )
    if not isinstance(error, FileNotFoundError):
        return f"{path}: found that it cannot be read ({error.strerror}), expected the weights of a model"
    pairs = prefix.parent.glob("*.safetensors") if prefix.parent.is_dir() else ()
    there = sorted(path.stem for path in pairs if path.with_suffix(".json").exists())
    beside = f"found only {', '.join(there)} there" if there else "found no weights there"
    return (
        f"{path}: {beside}, expected the weights of a trained model; run `vesalia train` first or give the right prefix"
    )


def _require_fit(prefix: Path, wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    faults = [f"{name} is missing" for name in wanted if name not in found]
    faults += [f"{name} is not in the network" for name in found if name not in wanted]
    faults += [
        f"{name} has shape {list(found[name].shape)}, the network's {list(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if faults:
        rest = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        message = f"{weights_file(prefix)}: found {len(faults)} tensors that do not fit the network in its card: "
        raise CheckpointError(message + "; ".join(faults[:_SHOWN]) + rest + "; copy the pair again, or train again")
