"""What checking an archive found."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vesalia.errors import Fault

if TYPE_CHECKING:
    from vesalia.datatools.preflight import PreflightReport

__all__ = ["CheckReport"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What checking an archive found; faults of the config are raised, so these are about the data.

    Attributes:
        archive: The archive's folder.
        configs: The configs that were checked.
        faults: What is wrong with the data.
        warnings: What is allowed and may surprise.
        data: Counts and estimates of the data, per config.
    """

    archive: Path
    configs: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    data: tuple[PreflightReport, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether training may begin."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for ``--json``."""
        return {
            "archive": str(self.archive),
            "configs": list(self.configs),
            "ok": self.ok,
            "faults": [fault.to_dict() for fault in self.faults],
            "warnings": [fault.to_dict() for fault in self.warnings],
            "data": [report.to_dict() for report in self.data],
        }
