"""What a checkpoint is called: v3's names (``model.ckpt``, ``model.trt.pb``) and ours are one prefix."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

__all__ = [
    "BEST",
    "FINAL",
    "MANIFEST_FILE",
    "card_file",
    "checkpoint_prefix",
    "exported_files",
    "tensorflow_files",
    "weights_file",
]

BEST = "model"
"""Name of the best model inside a checkpoint folder."""
FINAL = "model_final"
"""Name of the last model inside a checkpoint folder."""
MANIFEST_FILE = "manifest.json"
"""In a checkpoint folder: everything that decided the training's result."""

_SUFFIX = re.compile(
    r"\.(safetensors|json|fzn\.pb|trt\.pb|pb|pth?|ts|ckpt(\.(index|meta|data-\d+-of-\d+))?)$", re.IGNORECASE
)
_TENSORFLOW = (".ckpt.index", ".ckpt.meta", ".index", ".meta")
_GRAPHS = (".fzn.pb", ".trt.pb", ".pb")
"""TensorFlow's frozen graphs; `vesalia export` writes programs under these names too."""
_PROGRAM = b"PK"
"""How an exported program begins: it is a ZIP file, which TensorFlow's graphs never are."""


def checkpoint_prefix(name: Path | str) -> Path:
    """The prefix that ``name`` stands for: ``models/model`` for ``models/model.ckpt`` or ``models/model.trt.pb``.

    A folder stands for the best model inside it. A name without a known suffix is a prefix already.
    """
    path = Path(name)
    if path.is_dir() and not weights_file(path).exists():
        return path / BEST
    return path.with_name(_SUFFIX.sub("", path.name))


def weights_file(prefix: Path) -> Path:
    """Where the tensors of ``prefix`` lie."""
    return prefix.with_name(f"{prefix.name}.safetensors")


def card_file(prefix: Path) -> Path:
    """Where the card of ``prefix`` lies."""
    return prefix.with_name(f"{prefix.name}.json")


def tensorflow_files(prefix: Path) -> tuple[Path, ...]:
    """The TensorFlow files of a v3 archive that lie where ``prefix`` should."""
    named = [prefix.with_name(prefix.name + suffix) for suffix in _TENSORFLOW]
    named += [path for path in _graphs(prefix) if not _is_program(path)]
    shards = sorted(prefix.parent.glob(f"{_literal(prefix.name)}.ckpt.data-*")) if prefix.parent.is_dir() else []
    return tuple(path for path in [*named, *shards] if path.is_file())


def exported_files(prefix: Path) -> tuple[Path, ...]:
    """The programs that `vesalia export` wrote for other software under v3's names, where ``prefix`` should lie."""
    return tuple(path for path in _graphs(prefix) if _is_program(path))


def _graphs(prefix: Path) -> list[Path]:
    return [path for suffix in _GRAPHS if (path := prefix.with_name(prefix.name + suffix)).is_file()]


def _is_program(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_PROGRAM)) == _PROGRAM
    except OSError:
        return False


def _literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)
