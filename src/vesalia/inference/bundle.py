"""The network of a MONAI bundle, where its config names a class and plain arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vesalia.errors import CheckpointError, ConfigError
from vesalia.runtime.jsonfile import read_json

__all__ = ["BundleNetwork", "find_weights", "is_bundle", "read_bundle"]

_CONFIGS = ("inference.json", "train.json")
_NETWORK = ("network_def", "network")
_NETS = "monai.networks.nets"
_WEIGHTS = ("model.pt", "model.pth")
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class BundleNetwork:
    """What a bundle says of its network.

    Attributes:
        file: The config that says it.
        node: The network as our configs write it: ``path`` and ``args``.
        in_channels: Channels of its input.
        class_names: A name per channel, where the bundle's metadata has them.
    """

    file: Path
    node: dict[str, Any]
    in_channels: int
    class_names: tuple[str, ...]


def is_bundle(source: Path) -> bool:
    """Whether a folder is a MONAI bundle."""
    return source.is_dir() and any((source / "configs" / name).is_file() for name in ("metadata.json", *_CONFIGS))


def find_weights(folder: Path) -> Path:
    """The state dict of a bundle.

    Raises:
        CheckpointError: There is none.
    """
    found = next((path for name in _WEIGHTS if (path := folder / "models" / name).is_file()), None)
    if found is None:
        message = f"{folder}: found a bundle without models/{_WEIGHTS[0]}, expected its weights; download them there"
        raise CheckpointError(message)
    return found


def read_bundle(folder: Path) -> BundleNetwork:
    """The network of the bundle in ``folder``.

    Raises:
        CheckpointError: No config names the network by a class of MONAI and plain arguments.
    """
    for name in _CONFIGS:
        file = folder / "configs" / name
        if not file.is_file():
            continue
        config = _object(file)
        node = next((config[key] for key in _NETWORK if key in config), None)
        if isinstance(node, Mapping) and "_target_" in node:
            network = _network(_resolved(node, config, file), file, folder)
            if _activates_each(config):
                network.node["args"].setdefault("final_activation", "sigmoid")
            return network
    message = (
        f"{folder}: found no network_def in {' or '.join(_CONFIGS)} of its configs, expected one with _target_; write "
        "the network into the archive's train config, and import the .pt file alone"
    )
    raise CheckpointError(message)


def _network(node: Any, file: Path, folder: Path) -> BundleNetwork:
    given = {key: value for key, value in node.items() if not key.startswith("_")}
    target = str(node["_target_"])
    path = target if target.startswith(f"{_NETS}.") else f"{_NETS}.{target.rpartition('.')[2]}"
    channels = given.get("in_channels", 1)
    return BundleNetwork(
        file,
        {"path": path, "args": {name: value for name, value in given.items() if name != "in_channels"}},
        in_channels=channels if isinstance(channels, int) else 1,
        class_names=_class_names(folder),
    )


def _activates_each(node: Any) -> bool:
    """Whether the config's post-processing has a sigmoid for each channel."""
    if isinstance(node, Mapping):
        own = str(node.get("_target_", "")).endswith("Activationsd") and node.get("sigmoid") is True
        return own or any(map(_activates_each, node.values()))
    return isinstance(node, list) and any(map(_activates_each, node))


def _resolved(node: Any, config: Mapping[str, Any], file: Path, depth: int = 0) -> Any:
    """``node`` with ``@name`` put in place; expressions are code, which is not run."""
    if isinstance(node, Mapping):
        return {key: _resolved(value, config, file, depth) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolved(value, config, file, depth) for value in node]
    if isinstance(node, str) and node.startswith("@"):
        value: Any = config
        for part in node[1:].replace("#", "::").split("::"):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None or depth > _DEEPEST:
            raise CheckpointError(f"{file}: found {node} in the network, expected the name of a value in the config")
        return _resolved(value, config, file, depth + 1)
    if isinstance(node, str) and node.startswith(("$", "%")):
        message = (
            f"{file}: found the expression {node} in the network, expected plain values; expressions are not run: "
            "write the network into the archive's train config, and import the .pt file alone"
        )
        raise CheckpointError(message)
    return node


def _class_names(folder: Path) -> tuple[str, ...]:
    """What ``metadata.json`` says of the output's channels."""
    file = folder / "configs" / "metadata.json"
    data: Any = _object(file) if file.is_file() else {}
    for key in ("network_data_format", "outputs", "pred", "channel_def"):
        data = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or sorted(map(str, data)) != sorted(map(str, range(len(data)))):
        return ()
    return tuple(str(data[key]) for key in sorted(data, key=lambda key: int(str(key))))


def _object(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file}: found no JSON object, expected a config of a bundle")
    return content
