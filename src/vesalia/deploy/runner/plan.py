"""The plan beside a network: what is done before, with and after it, as data. Nothing in it is ever evaluated."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vesalia.deploy.runner.inferers import INFERERS, Inferer
from vesalia.deploy.runner.steps import STEPS, Step, made
from vesalia.deploy.runner.writers import WRITERS, Writer
from vesalia.errors import ConfigError, Fault
from vesalia.runtime.files import is_plain_name
from vesalia.runtime.jsonfile import read_json

__all__ = ["FORMAT", "FORMAT_VERSION", "PLAN_ENDING", "InferencePlan", "find_plan", "plan_of", "read_data", "read_plan"]

FORMAT: Final = "vesalia-inference-plan"
FORMAT_VERSION: Final = 1
PLAN_ENDING: Final = ".plan.json"

_PARTS: Final[Mapping[str, type]] = {
    "network": dict,
    "pre_transforms": list,
    "inferer": dict,
    "post_transforms": list,
    "writers": list,
    "class_names": list,
}
_NETWORK: Final[Mapping[str, type]] = {
    "file": str,
    "sha256": str,
    "weights_sha256": str,
    "in_channels": int,
    "size_divisor": int,
    "free_batch": bool,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InferencePlan:
    """A plan, read and made.

    Attributes:
        network: The ``.onnx`` file.
        sha256: Its hash.
        weights_sha256: The hash of the weights that it was made from.
        in_channels: Channels that it takes.
        size_divisor: What sizes must be multiples of.
        free_batch: Whether it takes several images at once.
        class_names: A name per output channel.
        pre: What happens to an image.
        inferer: How it goes through the network.
        post: What happens to the prediction.
        writers: How it is written.
        described: The steps as data, for the record beside a result.
    """

    network: Path
    sha256: str
    weights_sha256: str
    in_channels: int
    size_divisor: int
    free_batch: bool
    class_names: tuple[str, ...]
    pre: tuple[Step, ...]
    inferer: Inferer
    post: tuple[Step, ...]
    writers: tuple[Writer, ...]
    described: Mapping[str, Any]


def find_plan(path: Path) -> Path | None:
    """The plan that ``path`` is, or that is the only one in that folder; None where there is none or several."""
    if path.name.endswith(PLAN_ENDING):
        return path
    found = list(path.glob(f"*{PLAN_ENDING}")) if path.is_dir() else []
    return found[0] if len(found) == 1 else None


def read_plan(path: Path) -> InferencePlan:
    """Read a plan that was exported.

    Raises:
        ConfigError: It is missing, no plan, of a newer version, or names what is not known here.
    """
    return plan_of(read_data(path), path.parent, file=str(path))


def read_data(path: Path) -> Mapping[str, Any]:
    """The data of a plan, every part of the right type.

    Raises:
        ConfigError: It is missing, no plan, of a newer version, or would write elsewhere than it is told.
    """
    data = read_json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ConfigError(
            faults=[Fault(str(path), "format", "no plan", repr(FORMAT), "the path of a file *.plan.json")]
        )
    version = data.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        expected, write = f"at most {FORMAT_VERSION}", "pip install --upgrade vesalia-infer"
        raise ConfigError(faults=[Fault(str(path), "format_version", repr(version), expected, write)])
    for index, writer in enumerate(_sound(data, path)["writers"]):
        if writer["args"].get("write_path"):
            key, write = f"writers[{index}].args.write_path", "null, and give the folder with --output"
            raise ConfigError(faults=[Fault(str(path), key, "a folder", "none in an exported plan", write)])
    return data


def plan_of(data: Mapping[str, Any], folder: Path, *, file: str) -> InferencePlan:
    """The plan that data describe.

    Args:
        data: The parts of a plan, sound.
        folder: Where the network is.
        file: The plan's file, for messages.

    Raises:
        ConfigError: It names what is not known here.
    """
    network = data["network"]

    def all_made(known: Mapping[str, Any], part: str) -> tuple[Any, ...]:
        return tuple(made(known, one, where=f"{file}: {part}[{at}]") for at, one in enumerate(data[part]))

    return InferencePlan(
        network=folder / network["file"],
        sha256=network["sha256"],
        weights_sha256=network["weights_sha256"],
        in_channels=network["in_channels"],
        size_divisor=network["size_divisor"],
        free_batch=network["free_batch"],
        class_names=tuple(map(str, data["class_names"])),
        pre=all_made(STEPS, "pre_transforms"),
        inferer=made(INFERERS, data["inferer"], where=f"{file}: inferer"),
        post=all_made(STEPS, "post_transforms"),
        writers=all_made(WRITERS, "writers"),
        described={part: data[part] for part in ("pre_transforms", "inferer", "post_transforms", "writers")},
    )


def _sound(data: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """``data``, every part of the right type.

    Raises:
        ConfigError: They are not; all faults at once.
    """
    faults = list(_wrong(data, _PARTS, "", path))
    if not faults:
        faults += _wrong(data["network"], _NETWORK, "network.", path)
        for part in ("pre_transforms", "post_transforms", "writers"):
            for index, component in enumerate(data[part]):
                faults += _no_component(component, f"{part}[{index}]", path)
        faults += _no_component(data["inferer"], "inferer", path)
    if not faults and not is_plain_name(data["network"]["file"]):
        faults = [Fault(str(path), "network.file", repr(data["network"]["file"]), "a file beside the plan", "its name")]
    if faults:
        raise ConfigError(faults=faults)
    return data


def _wrong(data: Mapping[str, Any], wanted: Mapping[str, type], where: str, path: Path) -> Sequence[Fault]:
    found = {name: type(data.get(name)) for name in wanted}
    return [
        Fault(str(path), f"{where}{name}", f"a value of type {found[name].__name__}", kind.__name__, "export again")
        for name, kind in wanted.items()
        if found[name] is not kind
    ]


def _no_component(component: Any, where: str, path: Path) -> Sequence[Fault]:
    if (
        isinstance(component, dict)
        and isinstance(component.get("args"), dict)
        and isinstance(component.get("name"), str)
    ):
        return []
    return [Fault(str(path), where, "no component", 'an object with "name" and "args"', "export again")]
