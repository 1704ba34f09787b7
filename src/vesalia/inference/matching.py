"""Starting from another model's weights: what fits by name and shape is taken, and all of it is reported."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from vesalia.errors import CheckpointError
from vesalia.inference.checkpoint_names import checkpoint_prefix, weights_file
from vesalia.inference.renaming import align_names
from vesalia.inference.weights import read_tensors

__all__ = ["MatchReport", "load_matching", "match_tensors", "take_matching"]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Which tensors a network took from a checkpoint.

    Attributes:
        source: The file the tensors came from.
        loaded: Names in the network that fitted.
        reshaped: Name, shape in the file and shape in the network, where the two differ; left as they were.
        missing: Names in the network that the file lacks; left as they were.
        unused: Names in the file that the network lacks.
        renamed: Name in the network to name in the file, where the two differ.
    """

    source: Path
    loaded: tuple[str, ...]
    reshaped: tuple[tuple[str, Shape, Shape], ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every tensor of the network was found and fits."""
        return not self.reshaped and not self.missing

    def rows(self) -> list[tuple[str, str, str]]:
        """A row per tensor that did not match: name, shape or presence in the file, the same in the network."""
        rows = [(name, str(list(found)), str(list(wanted))) for name, found, wanted in self.reshaped]
        rows += [(name, "absent", "present") for name in self.missing]
        return rows + [(name, "present", "absent") for name in self.unused]

    def table(self) -> str:
        """The report as text: a line of counts, then the rows that did not match."""
        total = len(self.loaded) + len(self.reshaped) + len(self.missing)
        lines = [f"{self.source}: loaded {len(self.loaded)} of {total} tensors"]
        if self.renamed:
            new, old = next(iter(self.renamed.items()))
            lines.append(f"  {len(self.renamed)} have another name there, such as {old} for {new}")
        rows = [("tensor", "in the file", "in the network"), *self.rows()]
        if len(rows) > 1:
            wide = [max(len(row[column]) for row in rows) for column in range(3)]
            lines += ["  " + "  ".join(cell.ljust(wide[i]) for i, cell in enumerate(row)).rstrip() for row in rows]
        return "\n".join(lines)


def load_matching(model: nn.Module, name: Path | str) -> MatchReport:
    """Give ``model`` the tensors of the checkpoint ``name`` that match by name and shape (``MMAR_CKPT``).

    Args:
        model: The network; changed in place, what does not match keeps its values.
        name: A prefix, a folder, or a v3 name such as ``models/model.ckpt``.

    Raises:
        CheckpointError: The checkpoint cannot be read, or no weight matches: it is another network's.
    """
    tensors, card = read_tensors(name)
    report = take_matching(model, tensors, source=weights_file(checkpoint_prefix(name)))
    if not report.loaded:
        trained = card["model"].get("name", "an unnamed network")
        message = (
            f"MMAR_CKPT: found a checkpoint of {trained} of which no weight fits {type(model).__name__}, "
            "expected a checkpoint of the same architecture; give another one, or leave MMAR_CKPT out\n"
            + report.table()
        )
        raise CheckpointError(message)
    return report


def take_matching(model: nn.Module, tensors: Mapping[str, torch.Tensor], *, source: Path) -> MatchReport:
    """Give ``model`` those of ``tensors`` that match by name and shape; none where no weight does.

    Names may have another prefix, see :mod:`vesalia.inference.renaming`.

    Args:
        model: The network; changed in place, what does not match keeps its values.
        tensors: The tensors.
        source: The file they are from, for the report.
    """
    state = model.state_dict()
    aliases = getattr(model, "aliases", {})  # further names of the same weights, which a state leaves out
    report = match_tensors({**state, **{name: state[first] for name, first in aliases.items()}}, tensors, source=source)
    report = replace(report, loaded=_without(aliases, report.loaded), missing=_without(aliases, report.missing))
    if not any(state[name].ndim for name in report.loaded):  # counters of steps are no weights
        return replace(report, loaded=(), missing=(*report.loaded, *report.missing))
    fitting = {name: tensors[report.renamed.get(name, name)] for name in report.loaded}
    model.load_state_dict({**state, **fitting})
    return report


def _without(names: Mapping[str, str], listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in listed if name not in names)


def match_tensors(
    wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor], *, source: Path
) -> MatchReport:
    """Compare the tensors of a network with those of a file, by name and shape, whatever prefix the names have."""
    named = align_names(wanted, found)
    own = {name: old for old, name in named.items()}
    found = {named[old]: tensor for old, tensor in found.items()}
    shared = [name for name in wanted if name in found]
    fits = {name: found[name].shape == wanted[name].shape for name in shared}
    return MatchReport(
        source,
        loaded=tuple(name for name in shared if fits[name]),
        reshaped=tuple(
            (name, tuple(found[name].shape), tuple(wanted[name].shape)) for name in shared if not fits[name]
        ),
        missing=tuple(name for name in wanted if name not in found),
        unused=tuple(old for old, name in named.items() if name not in wanted),
        renamed={name: own[name] for name in shared if own[name] != name},
    )
