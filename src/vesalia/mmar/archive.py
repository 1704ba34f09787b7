"""An archive as a folder: its parts, and the rule that a path written in it stays in it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vesalia.errors import ArchiveError, ConfigError, Fault
from vesalia.registry.kinds import shown

__all__ = ["FOLDERS", "ArchiveFolder", "open_archive"]

FOLDERS = ("commands", "config", "docs", "eval", "models", "resources")
"""The folders that a complete archive has; only ``config`` is needed to work with one."""


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """An archive by its root folder (absolute)."""

    root: Path

    @property
    def commands(self) -> Path:
        """Shell scripts that run the archive."""
        return self.root / "commands"

    @property
    def config(self) -> Path:
        """Workflow configs, ``environment.json``, data lists."""
        return self.root / "config"

    @property
    def docs(self) -> Path:
        """Model card and licence."""
        return self.root / "docs"

    @property
    def eval(self) -> Path:
        """Reports and predictions, unless ``MMAR_EVAL_OUTPUT_PATH`` says otherwise."""
        return self.root / "eval"

    @property
    def models(self) -> Path:
        """Weights and training records, unless ``MMAR_CKPT_DIR`` says otherwise."""
        return self.root / "models"

    @property
    def resources(self) -> Path:
        """Logging set-up and the like."""
        return self.root / "resources"

    @property
    def custom(self) -> Path:
        """The archive's own Python code, imported only when the user allows it.

        v3's examples keep theirs in ``BYOC``, which counts where there is no ``custom``.
        """
        folder, older = self.root / "custom", self.root / "BYOC"
        return older if older.is_dir() and not folder.is_dir() else folder

    def shown(self, path: Path) -> str:
        """A path as messages name it: relative to the archive where it lies in it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def inside(self, relative: str | Path) -> Path:
        """The absolute path of something in the archive.

        Args:
            relative: A path relative to the root, or an absolute one that lies below it.

        Raises:
            ConfigError: The path leaves the archive, by ``..``, as an absolute path, or through a link.
        """
        path = self.root / relative
        if path.resolve().is_relative_to(self.root.resolve()):
            return path.resolve() if ".." in path.parts else path
        fault = Fault(
            file=str(self.root),
            found=f"the path {shown(str(relative))}, which leaves the archive",
            expected="a path inside the archive",
            write="a path relative to the archive's root, such as config/config_train.json",
        )
        raise ConfigError(faults=[fault])


def open_archive(path: str | Path) -> ArchiveFolder:
    """An existing archive.

    Args:
        path: The root folder. Any part but ``config`` may be missing, as in archives made for v3.

    Raises:
        ArchiveError: There is no such folder, or it has no ``config``.
    """
    root = Path(path).expanduser().absolute()
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        raise ArchiveError(
            faults=[Fault(str(path), "", found, "the root folder of an MMAR", "its path, or make one: vesalia new DIR")]
        )
    if not (root / "config").is_dir():
        raise ArchiveError(faults=[Fault(str(path), "", "no folder config in it", "an MMAR", _nearby(root))])
    return ArchiveFolder(Path(*_without_dots(root)))


def _without_dots(root: Path) -> tuple[str, ...]:
    return root.resolve().parts if ".." in root.parts else root.parts


def _nearby(root: Path) -> str:
    """Where the archive probably is: one folder up, or one down."""
    if (root.parent / "config").is_dir():
        return f"{root.parent} (the folder above has one)"
    below = [folder for folder in sorted(root.iterdir()) if (folder / "config").is_dir()]
    return str(below[0]) if below else "the folder that holds config, or make an archive: vesalia new DIR"
