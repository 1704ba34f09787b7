"""The steps that the runner knows, by the names that configs have; a step is a class of the same name and arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vesalia.deploy.runner.intensities import CenterData, NormalizeNonzeroIntensities, ScaleIntensityRange
from vesalia.deploy.runner.labels import (
    ArgmaxAcrossChannels,
    CopyProperties,
    KeepLargestCC,
    SplitBasedOnLabel,
    ThresholdValues,
)
from vesalia.deploy.runner.loading import LoadNifti
from vesalia.deploy.runner.places import (
    ConvertToChannelsFirst,
    ConvertToChannelsLast,
    CropSubVolumeCenter,
    RepeatChannel,
    RestoreOriginalShape,
    ScaleByFactor,
    ScaleByResolution,
    ScaleBySpacing,
    ScaleToShape,
    SymmetricPadderDiv,
)
from vesalia.deploy.runner.volume import Sample
from vesalia.errors import ConfigError

__all__ = ["STEPS", "Step", "made"]

Step = Callable[[Sample], Sample]

STEPS: Mapping[str, Callable[..., Step]] = {
    step.__name__: step
    for step in (
        ArgmaxAcrossChannels,
        CenterData,
        ConvertToChannelsFirst,
        ConvertToChannelsLast,
        CopyProperties,
        CropSubVolumeCenter,
        KeepLargestCC,
        LoadNifti,
        NormalizeNonzeroIntensities,
        RepeatChannel,
        RestoreOriginalShape,
        ScaleByFactor,
        ScaleByResolution,
        ScaleBySpacing,
        ScaleIntensityRange,
        ScaleToShape,
        SplitBasedOnLabel,
        SymmetricPadderDiv,
        ThresholdValues,
    )
}
"""Name to class. To teach the runner a step, write its class and add its line, and test it against the torch one."""


def made(known: Mapping[str, Callable[..., Any]], component: Mapping[str, Any], *, where: str) -> Any:
    """What a component of a plan names, with its arguments.

    Args:
        known: Name to class.
        component: ``name`` and ``args`` of the plan.
        where: Its place, for messages.

    Raises:
        ConfigError: The name is not known, or its arguments are not.
    """
    name = component["name"]
    if name not in known:
        message = f"{where}: found {name}, expected one of {', '.join(known)}"
        raise ConfigError(f"{message}; install the version of Vesalia that the plan names, or use --engine torch")
    try:
        return known[name](**component["args"])
    except (TypeError, ValueError) as error:
        message = f"{where}: found arguments of {name} that it does not take ({error}), expected those of its page"
        raise ConfigError(f"{message}; export again") from error
