"""Every exception Vesalia raises, and the record of one fault.

The tree::

    VesaliaError                     exit code 1
    ├── UserError                    exit code 2: the person at the keyboard can mend it
    │   ├── ConfigError   (ValueError)          a config, an argument or a variable is wrong
    │   ├── DataError     (ValueError)          an image, a label or a data list is wrong
    │   ├── ArchiveError  (FileNotFoundError)   this folder is not an MMAR, or lacks a part
    │   ├── CustomCodeRefused (PermissionError) custom code was named, and not allowed
    │   ├── CheckpointError (ValueError)        weights do not fit, are torn, or are missing
    │   ├── TrainingError (ArithmeticError)     a training went wrong: the loss is no number any more
    │   └── ResourceError (OSError)             disk, memory or time is not enough
    ├── Interrupted                  exit code 130/143: stopped on request, work was saved
    └── ToldElsewhere                the exit code of another process of the job, which tells why

Each message says where, what was found, what was expected and what to write instead:
that is a :class:`Fault`. Errors that can hold several faults show all of them.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

__all__ = [
    "ArchiveError",
    "CheckpointError",
    "ConfigError",
    "CustomCodeRefused",
    "DataError",
    "Fault",
    "Interrupted",
    "ResourceError",
    "ToldElsewhere",
    "TrainingError",
    "UserError",
    "VesaliaError",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in the four parts a person needs to mend it.

    Attributes:
        file: The file the fault is in, as the user knows it (relative to the archive where it can be).
        key: Dotted path of the value inside the file, such as ``train.pre_transforms[3].args.size``.
        found: What stands there now.
        expected: What would be right.
        write: What to write (or do) instead.
    """

    file: str
    key: str = ""
    found: str = ""
    expected: str = ""
    write: str = ""

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        said = f"found {self.found}" + (f", expected {self.expected}" if self.expected else "")
        return f"{where}: {said}" + (f"; write {self.write}" if self.write else "")

    def to_dict(self) -> dict[str, str]:
        """The fault as plain data, for ``--json``."""
        return asdict(self)


class VesaliaError(Exception):
    """Anything Vesalia itself raises."""

    exit_code = 1

    def __init__(self, message: str = "", *, faults: Iterable[Fault] = ()) -> None:
        self.faults = tuple(faults)
        self.message = message
        super().__init__("\n".join(filter(None, [message, *map(str, self.faults)])))


class UserError(VesaliaError):
    """Something the user can mend; the command line shows it without a traceback."""

    exit_code = 2


class ConfigError(UserError, ValueError):
    """A config, an environment, a ``--set`` or an argument is wrong."""


class DataError(UserError, ValueError):
    """An image, a label or a data list is wrong."""


class ArchiveError(UserError, FileNotFoundError):
    """A folder is not an MMAR, or lacks a part that is needed."""


class CustomCodeRefused(UserError, PermissionError):
    """A config names code from the archive's ``custom/`` folder and nobody allowed it."""


class CheckpointError(UserError, ValueError):
    """Weights are missing, torn, or made for another network."""


class TrainingError(UserError, ArithmeticError):
    """A training went wrong: the loss or the gradients are no numbers any more."""


class ResourceError(UserError, OSError):
    """The machine has too little disk, memory or time for what was asked."""


class Interrupted(VesaliaError):
    """A run stopped because it was asked to; what it had done is saved."""

    exit_code = 130

    def __init__(self, message: str = "", *, signal_number: int = 2) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class ToldElsewhere(VesaliaError):
    """A process of several that train together ends, and another one of them tells the user why."""

    def __init__(self, message: str = "another process tells why", *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
