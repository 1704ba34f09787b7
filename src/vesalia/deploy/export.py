"""From weights to files for other software, with a record of what was written, from what, and how exact it is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vesalia.deploy.base import Deployment, Format
from vesalia.deploy.formats import formats_named
from vesalia.deploy.input_shape import choose_input_shape
from vesalia.deploy.program import Program, make_program, untraced
from vesalia.deploy.triton import TRITON_INPUT, TRITON_OUTPUT
from vesalia.errors import ConfigError, UserError
from vesalia.inference.checkpoint_names import checkpoint_prefix
from vesalia.inference.weights import LoadedModel, load_weights
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.plan import EvaluatePlan
from vesalia.runtime import machine
from vesalia.runtime.files import is_plain_name, require_writable, write_json

__all__ = ["INPUT_NAME", "OUTPUT_NAME", "ExportResult", "Wish", "export"]

INPUT_NAME, OUTPUT_NAME = "NV_MODEL_INPUT", "NV_MODEL_OUTPUT"
"""What v3's scripts call the two ends of a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be written.

    Attributes:
        formats: Names of formats, keys of :data:`vesalia.deploy.formats.FORMATS`.
        folder: Where to; None for the folder of the weights.
        input_name: What the input is called in the record, and where a format lets one choose.
        output_name: The same for the output.
        input_shape: ``(C, *spatial)`` to trace with, and what a server is told; None chooses, and leaves sizes free
            for a server where the program takes any.
        serving_name: What a server calls the model; None for the name of the weights.
        max_batch_size: How many images a server may put into one call.
    """

    formats: Sequence[str] = ("torchscript",)
    folder: Path | None = None
    input_name: str = INPUT_NAME
    output_name: str = OUTPUT_NAME
    input_shape: Sequence[int] | None = None
    serving_name: str | None = None
    max_batch_size: int = 8


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Attributes:
        files: The files, the record last.
        record: What is in the record.
    """

    files: tuple[Path, ...]
    record: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON data."""
        return {"files": [str(path) for path in self.files], "record": dict(self.record)}


def export(
    weights: Path | str,
    wish: Wish,
    *,
    archive: ArchiveFolder | None = None,
    evaluation: Callable[[], EvaluatePlan] | None = None,
    allow_custom_code: bool = False,
) -> ExportResult:
    """Write a trained model for other software, and ``<name>.export.json`` beside it.

    Args:
        weights: A prefix (``models/model``), a folder, or a v3 name (``models/model.ckpt``).
        wish: What is to be written, and where.
        archive: The archive that holds the code of a custom network.
        evaluation: Gives the evaluation's plan, for formats that write what is done before and after the network.
        allow_custom_code: Whether that code may run.

    Raises:
        ConfigError: A format, a name or a size is none, or the evaluation has steps that a format does not know.
        CheckpointError: The weights are missing, torn or foreign.
        CustomCodeRefused: The network is custom code and ``allow_custom_code`` is false.
        UserError: The network cannot be written so that it gives the same.
        ResourceError: The disk is full, or the folder cannot be written.
    """
    formats = formats_named(wish.formats)
    plan = evaluation() if evaluation and any(each.needs_plan for each in formats) else None
    prefix = checkpoint_prefix(weights)
    serving_name = _plain(wish.serving_name or prefix.name)
    loaded = load_weights(prefix, archive=archive, allow_custom_code=allow_custom_code)
    folder = wish.folder or prefix.parent
    require_writable(folder)
    shape = choose_input_shape(loaded, wish.input_shape)
    deployment = Deployment(
        loaded=loaded,
        program=_program(loaded, shape, formats),
        folder=folder,
        name=prefix.name,
        input_name=wish.input_name,
        output_name=wish.output_name,
        serving_name=serving_name,
        any_size=wish.input_shape is None,
        max_batch_size=wish.max_batch_size,
        plan=plan,
    )
    files = tuple(dict.fromkeys(path for each in formats for path in each.write(deployment)))
    record_file = folder / f"{prefix.name}.export.json"
    record = _record(deployment, files)
    write_json(record_file, record)
    return ExportResult((*files, record_file), record)


def _program(loaded: LoadedModel, shape: Sequence[int], formats: Sequence[Format]) -> Program:
    """The network as a program, or what is known of it where no format needs that.

    Raises:
        UserError: A format needs it, and the network cannot be traced.
    """
    try:
        return make_program(loaded.model, shape, card=loaded.card)
    except UserError:
        if any(each.needs_program for each in formats):
            raise
    return untraced(loaded.model, shape)


def _plain(name: str) -> str:
    """A name that is a single part of a path.

    Raises:
        ConfigError: It is none.
    """
    if not is_plain_name(name):
        message = f"model name: found {name!r}, expected a plain name, as it becomes a folder"
        raise ConfigError(f'{message}; write for example "segmentation_ct_spleen"')
    return name


def _record(deployment: Deployment, files: Sequence[Path]) -> dict[str, Any]:
    loaded, program = deployment.loaded, deployment.program
    return {
        "format": "vesalia-export",
        "format_version": 1,
        "weights": f"{loaded.prefix.name}.safetensors",
        "weights_sha256": loaded.sha256,
        "class_names": list(loaded.class_names),
        "inputs": [_tensor(deployment.input_name, TRITON_INPUT, program.input_shape, program)],
        "outputs": [_tensor(deployment.output_name, TRITON_OUTPUT, program.output_shape, program)],
        "free_sizes": program.free_sizes,
        "size_divisor": int(getattr(loaded.model, "size_divisor", 1)),
        "free_batch": program.free_batch,
        "max_difference": program.max_difference,
        "files": [_file(path, deployment.folder) for path in files],
        "versions": dict(machine.versions()),
    }


def _tensor(name: str, by_place: str, shape: Sequence[int], program: Program) -> dict[str, Any]:
    """An end of the program; axes that are free are null."""
    sizes = [None if program.free_sizes else size for size in shape[1:]]
    batch = None if program.free_batch else 1
    return {"name": name, "triton": by_place, "dtype": "float32", "shape": [batch, shape[0], *sizes]}


def _file(path: Path, folder: Path) -> dict[str, Any]:
    content = path.read_bytes()
    facts = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return {"path": path.relative_to(folder).as_posix(), **facts}
