"""The network alone: what a train config says of it, or what other software says, checked as a config is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.component import ComponentReader
from vesalia.mmar.findings import Findings
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.sections import read_train
from vesalia.mmar.settings import TRAIN_SECTIONS, TRAIN_SETTINGS
from vesalia.mmar.workspace import Request, Workspace, open_workspace

__all__ = ["PlannedNetwork", "configured_network", "described_network"]

_WHERE = ("train.model", "train.image_pipeline.args.output_image_channels")


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """A network, ready to be built.

    Attributes:
        model: The component.
        in_channels: Channels of its input.
        data_list: The data list of the config, which may name its classes; None where there is none.
        config: The config as JSON data.
    """

    model: ComponentPlan
    in_channels: int
    data_list: Path | None
    config: Mapping[str, Any]


def configured_network(request: Request) -> PlannedNetwork:
    """The network of a train config; what is wrong elsewhere in it does not matter here.

    Raises:
        ArchiveError: There is no archive.
        ConfigError: A text cannot be read, or the network has faults.
        CustomCodeRefused: The network is custom code and that was not allowed.
    """
    work = open_workspace(request, TRAIN_SECTIONS | TRAIN_SETTINGS.keys())
    train = read_train(work)
    if train.model is not None:
        _forget_the_rest(work)
    work.finish()
    if train.model is None:
        write = '"model": {"name": "...", "args": {}}'
        raise ConfigError(faults=[Fault(str(request.config), _WHERE[0], "nothing", "a network", write)])
    pipeline = train.image_pipeline
    listed = pipeline.argument("data_list_file_path") if pipeline else None
    channels = pipeline.argument("output_image_channels", 1) if pipeline else 1
    return PlannedNetwork(train.model, channels, Path(listed) if isinstance(listed, str) else None, work.config)


def _forget_the_rest(work: Workspace) -> None:
    findings = work.findings
    findings.faults[:] = [fault for fault in findings.faults if fault.key.startswith(_WHERE)]
    findings.refusals[:] = [fault for fault in findings.refusals if fault.key.startswith(_WHERE)]
    findings.settled = (0, findings.settled[1])
    work.missing[:] = [unresolved for unresolved in work.missing if unresolved.key.startswith(_WHERE)]


def described_network(
    node: Mapping[str, Any], *, in_channels: int, archive: ArchiveFolder, file: str
) -> PlannedNetwork:
    """The network that other software describes, in the words of a config.

    Args:
        node: ``name`` or ``path``, and ``args``.
        in_channels: Channels of its input.
        archive: The archive it is for.
        file: Where it is described, for messages.

    Raises:
        ConfigError: There is no such network here, or it takes other arguments.
    """
    findings = Findings(file)
    found = ComponentReader(archive, findings, allow_custom_code=False).read(node, slot="model", key="model")
    error = findings.error()
    if error is not None or not isinstance(found, ComponentPlan):
        raise error or ConfigError(f"{file}: model: found {node}, expected a network; write its name or path")
    return PlannedNetwork(found, in_channels, None, {"model": dict(node)})
