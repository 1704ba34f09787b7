"""Weights that other software trained, as a model of ours: state dicts, MONAI bundles, nnU-Net v2."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from vesalia.errors import CheckpointError, ConfigError
from vesalia.inference.bundle import find_weights, is_bundle, read_bundle
from vesalia.inference.card import model_card
from vesalia.inference.checkpoint_names import card_file, checkpoint_prefix, weights_file
from vesalia.inference.foreign import read_pickled, weights_in
from vesalia.inference.matching import MatchReport, take_matching
from vesalia.inference.nnunet import is_nnunet, read_nnunet
from vesalia.inference.weights import save_weights
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.build import build
from vesalia.mmar.planned_network import PlannedNetwork, described_network
from vesalia.pipelines.label_names import class_names, labels_by_value
from vesalia.runtime import machine
from vesalia.runtime.jsonfile import read_json

__all__ = ["ImportResult", "import_weights"]

_SHOWN_ARGUMENTS = 300


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of an import.

    Attributes:
        source: What was read.
        kind: What it is, in words.
        weights: The file of the model that was written.
        network: The network as a config names it, with its arguments.
        in_channels: Channels of its input.
        class_names: A name per channel of its output.
        match: Which tensors matched.
        notes: What the user should know.
        preprocessing: What was done to images in training, as far as the source says.
    """

    source: Path
    kind: str
    weights: Path
    network: dict[str, Any]
    in_channels: int
    class_names: tuple[str, ...]
    match: MatchReport
    notes: tuple[str, ...] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, for ``--json``."""
        return {
            "source": str(self.source),
            "kind": self.kind,
            "weights": str(self.weights),
            "card": str(card_file(checkpoint_prefix(self.weights))),
            "network": self.network,
            "in_channels": self.in_channels,
            "class_names": list(self.class_names),
            "loaded": len(self.match.loaded),
            "unmatched": [list(row) for row in self.match.rows()],
            "notes": list(self.notes),
            "preprocessing": dict(self.preprocessing),
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """What a source holds; without a network the archive's config has to name it."""

    kind: str
    file: Path
    tensors: dict[str, torch.Tensor]
    network: PlannedNetwork | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)


def import_weights(
    source: Path,
    prefix: Path,
    *,
    archive: ArchiveFolder,
    configured: Callable[[], PlannedNetwork],
    partial: bool = False,
    overwrite: bool = False,
    allow_custom_code: bool = False,
) -> ImportResult:
    """Write the weights in ``source`` as a model of ours.

    Args:
        source: A state dict (``.pt``, ``.pth``, ``.safetensors``), a MONAI bundle's folder, a checkpoint of nnU-Net v2
            or its folder.
        prefix: What the model is to be called, such as ``models/model``.
        archive: The archive it is for.
        configured: Gives the network of the archive's train config, which a state dict alone does not tell.
        partial: Whether tensors of the network may be missing; they stay random.
        overwrite: Whether a model of that name may be replaced.
        allow_custom_code: Whether code of the archive may run.

    Raises:
        CheckpointError: The source cannot be read safely, or its weights do not fit the network.
        ConfigError: The network is not known, or there is a model of that name.
    """
    prefix = checkpoint_prefix(prefix)
    if weights_file(prefix).exists() and not overwrite:
        message = (
            f"{weights_file(prefix)}: found a model, expected a free name; write --out with another, or --overwrite"
        )
        raise ConfigError(message)
    found = _read(source, archive)
    network = found.network or configured()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = build(
            network.model, archive=archive if allow_custom_code else None, in_channels=network.in_channels
        )
    report = take_matching(model, found.tensors, source=found.file)
    _require(report, network, partial=partial)
    classes = int(getattr(model, "num_classes", 1))
    names = found.class_names if len(found.class_names) == classes else _listed_names(network.data_list, classes)
    card = model_card(
        network.model,
        in_channels=network.in_channels,
        class_names=names,
        config=network.config,
        epoch=0,
        versions=machine.versions(),
        imported={"source": str(found.file), "kind": found.kind, "preprocessing": found.preprocessing},
    )
    written = save_weights(prefix, model, card=card)
    shown = {"name": network.model.name, "args": dict(network.model.args)}
    notes = (*found.notes, *([] if report.whole else ["tensors that did not match are random: train before use"]))
    return ImportResult(
        source, found.kind, written, shown, network.in_channels, names, report, notes, found.preprocessing
    )


def _read(source: Path, archive: ArchiveFolder) -> _Found:
    if not source.exists():
        message = f"{source}: found nothing, expected a state dict (.pt), a MONAI bundle or a folder of nnU-Net"
        raise CheckpointError(message)
    if is_nnunet(source):
        theirs = read_nnunet(source)
        node = {"name": "PlainConvUnet", "args": theirs.args}
        network = described_network(node, in_channels=theirs.in_channels, archive=archive, file=str(theirs.file))
        return _Found(
            "nnU-Net v2", theirs.file, theirs.tensors, network, theirs.class_names, theirs.notes, theirs.preprocessing
        )
    if is_bundle(source):
        file = find_weights(source)
        bundle = read_bundle(source)
        network = described_network(bundle.node, in_channels=bundle.in_channels, archive=archive, file=str(bundle.file))
        return _Found("MONAI bundle", file, weights_in(read_pickled(file), file), network, bundle.class_names)
    if source.is_dir():
        message = (
            f"{source}: found a folder that is no MONAI bundle (configs/) and none of nnU-Net (fold_0/), expected "
        )
        raise CheckpointError(message + "one of these, or the .pt file itself")
    content = _read_safetensors(source) if source.suffix == ".safetensors" else read_pickled(source)
    return _Found("state dict", source, weights_in(content, source))


def _read_safetensors(source: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(source)
    except (SafetensorError, OSError) as error:
        message = f"{source}: found a file that is not in safetensors format ({error}); copy it again"
        raise CheckpointError(message) from error


def _require(report: MatchReport, network: PlannedNetwork, *, partial: bool) -> None:
    if report.loaded and (report.whole or partial):
        return
    expected = "some that fit" if partial else "all tensors of the network"
    write = "another network in the config" + ("" if partial or not report.loaded else ", or --partial to train on")
    name = network.model.name
    arguments = str(dict(network.model.args))[:_SHOWN_ARGUMENTS]
    message = (
        f"{report.source}: found {len(report.loaded)} tensors that fit {name} ({arguments}), "
        f"expected {expected}; write {write}\n{report.table()}"
    )
    raise CheckpointError(message)


def _listed_names(data_list: Path | None, classes: int) -> tuple[str, ...]:
    """What the archive's data list calls the classes, as far as it can be read."""
    labels: object = None
    if data_list is not None and data_list.is_file():
        try:
            content = read_json(data_list)
            labels = content.get("labels") if isinstance(content, dict) else None
        except ConfigError:
            labels = None
    return class_names(labels_by_value(labels, file=data_list or Path(), faults=[]), count=classes)
