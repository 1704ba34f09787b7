"""The scalar top-level keys of a config: which there are, what they may be, and what they are after precedence."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from vesalia.errors import Fault
from vesalia.mmar.environment import ENVIRONMENT_NAMES, Variable
from vesalia.mmar.findings import Findings
from vesalia.registry.kinds import Mismatch, coerce, describe, shown
from vesalia.runtime.nearness import nearest

__all__ = [
    "EVALUATE_SECTIONS",
    "EVALUATE_SETTINGS",
    "TRAIN_SECTIONS",
    "TRAIN_SETTINGS",
    "Setting",
    "check_names",
    "read",
]


@dataclass(frozen=True, slots=True)
class Setting:
    """A top-level key with one value, or with a list of values (a comma string is one as well).

    Attributes:
        annotation: What its value may be.
        default: Its value when nobody sets it.
        required: Whether somebody must.
        example: A sensible value, for messages.
    """

    annotation: str
    default: Any = None
    required: bool = False
    example: str = ""


_FLAG = Setting("bool", default=False)
_OPTIONAL_FLAG = Setting("bool | None")

TRAIN_SETTINGS: Mapping[str, Setting] = {
    "epochs": Setting("Count", required=True, example="100"),
    "num_training_epoch_per_valid": Setting("Count", default=1),
    "learning_rate": Setting("Positive", required=True, example="0.001"),
    "multi_gpu": _FLAG,
    "sync_batch_norm": _FLAG,
    "use_amp": _OPTIONAL_FLAG,
    "use_tf32": _OPTIONAL_FLAG,
    "use_xla": _OPTIONAL_FLAG,
    "dynamic_input_shape": _FLAG,
    "use_scanning_window": _FLAG,
    "continue_from_ckpt_epoch": _FLAG,
    "train_summary_recording_interval": Setting("Whole", default=1),
    "stop_threshold": Setting("float | None"),
    "seconds_between_states": Setting("Positive | None", example="600"),
    "num_kept_states": Setting("Count", default=2),
    "stop_patience": Setting("Count | None", example="10"),
    "num_batches_per_update": Setting("Count", default=1),
    "max_gradient_norm": Setting("Positive | None", example="1.0"),
    "ema_decay": Setting("Probability | None", example="0.999"),
    "frozen_parameters": Setting("Sequence[str]", default=(), example='"network.down_layers.*"'),
    "trackers": Setting("Sequence[Literal['tensorboard', 'mlflow']]", default=("tensorboard",)),
}
TRAIN_SECTIONS = frozenset({"train", "validate", "determinism", "search", "lr_search"})

EVALUATE_SETTINGS: Mapping[str, Setting] = {
    "batch_size": Setting("Count", default=1),
    "multi_gpu": _FLAG,
    "use_amp": _OPTIONAL_FLAG,
    "use_tf32": _OPTIONAL_FLAG,
    "use_scanning_window": _FLAG,
    "dynamic_input_shape": _FLAG,
    "do_validation": Setting("bool", default=True),
    "output_infer_result": _FLAG,
    "DATA_LIST_KEY": Setting("FieldName", default="validation"),
}
EVALUATE_SECTIONS = frozenset(
    {
        "inferer",
        "model_loader",
        "pre_transforms",
        "post_transforms",
        "label_transforms",
        "val_metrics",
        "writers",
        "search",
    }
)
_SECTIONS = TRAIN_SECTIONS | EVALUATE_SECTIONS


def read(name: str, setting: Setting, *, variables: Mapping[str, Variable], findings: Findings) -> Any:
    """The typed value of a setting after precedence; its default where it is missing or wrong (which is reported)."""
    if name not in variables:
        if setting.required and name not in findings.meant:
            kind = describe(setting.annotation)
            findings.fault(
                name, found="nothing", expected=kind.expected, write=f'"{name}": {setting.example or kind.write}'
            )
        return setting.default
    variable = variables[name]
    if variable.origin == "config" and findings.is_unresolved(name):
        return setting.default
    value = coerce(variable.value, setting.annotation)
    if isinstance(value, Mismatch):
        proposal = setting.example or value.write
        write = f"{name}={proposal}" if variable.origin == "set" else proposal
        findings.faults.append(Fault(variable.file, name, shown(variable.value), value.expected, write))
        return setting.default
    return value


def check_names(
    *,
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    environment_file: str,
    overrides: Collection[str],
    used: Collection[str],
    own: Collection[str],
    findings: Findings,
) -> None:
    """Report names that nothing reads, in the config, in the environment and in ``--set``.

    v3 lets any of them hold extra names for ``{NAME}``, so an unknown name is a fault only where it is nearly a known
    one: in the config, one that is set nowhere; elsewhere, where names override, one that is not set beside it.

    Args:
        config: The config.
        environment: The content of ``environment.json``.
        environment_file: That file as messages name it.
        overrides: The names that ``--set`` gives.
        used: The names that the config refers to as ``{NAME}``.
        own: The sections and settings of this kind of config.
        findings: Where faults and warnings go.
    """
    everywhere = {*config, *environment, *overrides}
    known = {*own, *ENVIRONMENT_NAMES}
    for name in config:
        if name not in known and name not in used:
            findings.unknown_key("", name, known=known, present=dict.fromkeys(everywhere))
    readable = {*known, *TRAIN_SETTINGS, *EVALUATE_SETTINGS, *used, *config}
    for file, names in ((environment_file, environment), ("--set", overrides)):
        for name in names:
            if name in _SECTIONS and file == "--set":
                expected = "a name with one value (this is a section of the config)"
                findings.faults.append(Fault(file, name, "a section", expected, "the section in the config file"))
            elif name not in readable:
                _report_name(file, name, known.difference(_SECTIONS, names), findings)


def _report_name(file: str, name: str, known: Collection[str], findings: Findings) -> None:
    near = nearest(name, known)
    if near is not None:
        findings.meant.add(near)
        findings.faults.append(
            Fault(file, name, f"the name {name}", "a name that is read here", f"{near} (did you mean this?)")
        )
    elif file == "--set":
        findings.warnings.append(Fault(file, name, "a name that nothing reads", "a top-level key or a {NAME} in use"))
