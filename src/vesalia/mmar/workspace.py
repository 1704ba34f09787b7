"""The texts of a run, read and put together: config, environment and ``--set``, with every variable in place."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError
from vesalia.mmar.archive import ArchiveFolder, open_archive
from vesalia.mmar.component import ComponentReader, a_component
from vesalia.mmar.dataset import DataLists
from vesalia.mmar.environment import Variable, gather
from vesalia.mmar.findings import Findings
from vesalia.mmar.overrides import parse_set
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.recorded import Recorded
from vesalia.mmar.references import Reference
from vesalia.mmar.settings import Setting, check_names, read
from vesalia.mmar.v4.reading import own_names, read_v4
from vesalia.mmar.v4.recognise import is_v4
from vesalia.mmar.variables import Unresolved, substitute
from vesalia.registry.kinds import shown
from vesalia.registry.registry import Target, find
from vesalia.registry.signature import read_signature
from vesalia.runtime.jsonfile import read_json

__all__ = ["Request", "Workspace", "open_workspace"]

_IGNORED = frozenset({"search", "apply"})
"""Keys of v3's automatic search; plain training does not read them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a command was asked to read.

    Attributes:
        root: The archive.
        config: The config, relative to it.
        environment: The environment, relative to it.
        overrides: The arguments of ``--set``.
        allow_custom_code: Whether the archive's own code may be run.
        recorded: The texts as a manifest records them; None reads the files.
    """

    root: str | Path
    config: str | Path
    environment: str | Path
    overrides: Sequence[str]
    allow_custom_code: bool
    recorded: Recorded | None = None


@dataclass(slots=True)
class Workspace:
    """A config in the making: its text, its variables, and what was found so far.

    Attributes:
        archive: The archive.
        config_file: The config (absolute).
        environment_file: The environment (absolute).
        config: The config with variables in place, without keys that are ignored.
        variables: Every variable.
        findings: Faults and warnings.
        reader: Reads components.
        lists: Checks data lists.
        missing: Variables that are not set.
        searched: Key paths of components that v3's automatic search may switch on and off.
    """

    archive: ArchiveFolder
    config_file: Path
    environment_file: Path
    config: dict[str, Any]
    variables: dict[str, Variable]
    findings: Findings
    reader: ComponentReader
    lists: DataLists
    missing: list[Unresolved]
    searched: frozenset[str] = frozenset()

    def values(self) -> dict[str, Any]:
        """Every variable's value by name."""
        return {name: variable.value for name, variable in self.variables.items()}

    def setting(self, name: str, table: Mapping[str, Setting]) -> Any:
        """The typed value of a top-level key; lists in the config are no variables, but may be settings."""
        variables, listed = self.variables, self.config.get(name)
        if isinstance(listed, list) and name not in variables:
            variables = {**variables, name: Variable(name, listed, "config", self.findings.file)}
        return read(name, table[name], variables=variables, findings=self.findings)

    def raw(self, table: Mapping[str, Setting]) -> dict[str, Any]:
        """The config as JSON data, with the values that won over its own."""
        return {**self.config, **{name: self.variables[name].value for name in table if name in self.variables}}

    def path(self, name: str) -> Path | None:
        """A variable that is a path; None where it is not set or empty."""
        variable = self.variables.get(name)
        return Path(str(variable.value)) if variable is not None and variable.value not in {None, ""} else None

    def section(self, data: Mapping[str, Any], name: str, *, known: Sequence[str]) -> dict[str, Any] | None:
        """An object of the config whose keys are checked; None where it is missing or not an object."""
        if name not in data:
            return None
        node = data[name]
        if not isinstance(node, dict):
            self.findings.fault(name, found=shown(node), expected="an object", write=f'"{name}": {{ ... }}')
            return None
        for key in node:
            if key not in known:
                self.findings.unknown_key(name, key, known=known, present=node)
        return node

    def components(self, node: Any, slot: str, *, key: str) -> list[ComponentPlan | Reference]:
        """A list of components; references stay as they are."""
        if node is None:
            return []
        if not isinstance(node, list):
            write = "[ ... ] around it" if isinstance(node, dict) else "[]"
            self.findings.unreadable.append(key)
            self.findings.fault(key, found=shown(node), expected="a list of components", write=write)
            return []
        read_members = (self.reader.read(member, slot=slot, key=f"{key}[{index}]") for index, member in enumerate(node))
        return [member for member in read_members if member is not None]

    def plans(self, node: Any, slot: str, *, key: str) -> tuple[ComponentPlan, ...]:
        """A list of components of a slot that knows no references."""
        return tuple(member for member in self.components(node, slot, key=key) if isinstance(member, ComponentPlan))

    def single(
        self, section: Mapping[str, Any], name: str, *, slot: str, where: str, required: bool = True
    ) -> ComponentPlan | None:
        """The one component of a slot; where it is a list, the one that is not disabled."""
        key = f"{where}.{name}" if where else name
        node = section.get(name)
        if isinstance(node, list):
            node, key = self._enabled(node, key, required=required)
        if node is None:
            if required and name not in section and key not in self.findings.meant:
                self._report_missing(key, slot, "nothing")
            return None
        found = self.reader.read(node, slot=slot, key=key)
        if found is None and required and key in self.findings.dropped:
            self._report_missing(key, slot, "a disabled one")
        return found if isinstance(found, ComponentPlan) else None

    def _report_missing(self, key: str, slot: str, found: str) -> None:
        name = key.rpartition(".")[2]
        write = f'"{name}": {{"name": "...", "args": {{}}}}'
        self.findings.fault(key, found=found, expected=a_component(slot), write=write)

    def _enabled(self, members: list[Any], key: str, *, required: bool) -> tuple[Any, str]:
        enabled = []
        for index, member in enumerate(members):
            place = f"{key}[{index}]"
            if self.reader.is_disabled(member, place):
                self.findings.dropped.append(place)
            else:
                enabled.append((member, place))
        if len(enabled) == 1:
            return enabled[0]
        if any(f"{key}[{index}]" in self.searched for index in range(len(members))):
            return self._first(members, key, enabled)
        if enabled or required:
            found = f"{len(enabled)} enabled of {len(members)}"
            expected = "exactly one that is not disabled"
            self.findings.fault(key, found=found, expected=expected, write='"disabled": true in all others')
        return None, key

    def _first(self, members: list[Any], key: str, enabled: list[tuple[Any, str]]) -> tuple[Any, str]:
        """One of several among which the automatic search would choose; plain training has to take one."""
        switched_on = {name: value for name, value in members[0].items() if name != "disabled"}
        node, place = enabled[0] if enabled else (switched_on, f"{key}[0]")
        self.findings.dropped[:] = [dropped for dropped in self.findings.dropped if dropped != place]
        self.findings.warn(
            key,
            found=f"{len(enabled)} enabled of {len(members)}, as AutoML is to choose",
            expected=f"exactly one that is not disabled ({place} is taken)",
            write='"disabled": true in all others',
        )
        return node, place

    def default(self, slot: str, name: str, *, key: str) -> ComponentPlan | None:
        """The component that stands in where the config has none."""
        target = find(slot, name)
        return _plain_plan(target, slot, key, self.findings.file) if target else None

    def finish(self) -> None:
        """Report what is left, and raise if anything is wrong.

        Raises:
            ConfigError: With every fault.
            CustomCodeRefused: Where custom code that is not allowed is all that is wrong.
        """
        for unresolved in self.missing:
            if not self.findings.is_dropped(unresolved.key):
                self.findings.faults.append(unresolved.fault(self.findings.file))
        error = self.findings.error()
        if error is not None:
            raise error


def _plain_plan(target: Target, slot: str, key: str, file: str) -> ComponentPlan:
    defaults = read_signature(target).defaults
    return ComponentPlan(slot, target.qualname, target.qualname, target, {}, key, file, defaults)


def open_workspace(request: Request, own: frozenset[str]) -> Workspace:
    """Read the texts.

    Args:
        request: What to read.
        own: The sections and settings of this kind of config.

    Raises:
        ArchiveError: There is no archive.
        ConfigError: A text cannot be read.
    """
    archive = open_archive(request.root)
    findings = Findings(str(request.config))
    config_file = findings.attempt(lambda: archive.inside(request.config))
    environment_file = findings.attempt(lambda: archive.inside(request.environment))
    findings.file = archive.shown(config_file) if config_file else findings.file
    if request.recorded is None:
        config = _object(config_file, archive, findings)
        environment = _object(environment_file, archive, findings)
    else:
        findings.file = str(request.recorded.file)
        config, environment = dict(request.recorded.config), request.recorded.environment
    overrides = findings.attempt(lambda: parse_set(request.overrides))
    if config is None or environment is None or overrides is None or config_file is None or environment_file is None:
        raise ConfigError(faults=findings.faults)
    stripped = _without_ignored(config, is_top=True)
    shown_environment = archive.shown(environment_file)
    used = frozenset(re.findall(r"\{(\w+)\}", json.dumps([stripped, environment])))
    check_names(
        config=stripped,
        environment=environment,
        environment_file=shown_environment,
        overrides=overrides,
        used=used,
        own=own_names(stripped, own),
        findings=findings,
    )
    variables = gather(
        archive,
        findings,
        config=stripped,
        environment=environment,
        environment_file=shown_environment,
        overrides=overrides,
    )
    substituted, missing = substitute(stripped, {name: variable.value for name, variable in variables.items()})
    if is_v4(stripped):
        translated = read_v4(substituted, variables, archive=archive, own=own, findings=findings)
        substituted, variables, missing = translated.config, translated.variables, translated.missing
    findings.unresolved = {unresolved.key for unresolved in missing}
    reader = ComponentReader(archive, findings, request.allow_custom_code)
    lists = DataLists(archive, findings)
    return Workspace(
        archive,
        config_file,
        environment_file,
        substituted,
        variables,
        findings,
        reader,
        lists,
        missing,
        frozenset(_searched(config)),
    )


def _object(file: Path | None, archive: ArchiveFolder, findings: Findings) -> dict[str, Any] | None:
    if file is None:
        return None
    data = findings.attempt(lambda: read_json(file, archive.shown(file)))
    if data is None or isinstance(data, dict):
        return data
    return findings.attempt(lambda: _refuse(archive.shown(file), data))


def _refuse(file: str, data: object) -> dict[str, Any]:
    from_file = Findings(file)
    from_file.fault("", found=shown(data), expected="a JSON object", write="{ ... }")
    raise ConfigError(faults=from_file.faults)


def _searched(node: Any, key: str = "") -> Iterator[str]:
    """Key paths of the objects whose ``apply`` or ``search`` may change whether they are disabled."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _searched(child, f"{key}[{index}]")
    elif isinstance(node, dict):
        if "@disabled" in json.dumps([node.get(name) for name in _IGNORED]):
            yield key
        for name, child in node.items():
            yield from _searched(child, f"{key}.{name}" if key else name)


def _without_ignored(node: Any, *, is_top: bool = False, within: bool = False) -> Any:
    """JSON data without the keys that plain training does not read.

    These are keys that begin with two underscores, and in components and all that lies ``within`` them with one; in
    components and at the ``is_top`` level those of the search.
    """
    if isinstance(node, list):
        return [_without_ignored(child, within=within) for child in node]
    if not isinstance(node, dict):
        return node
    is_component = bool(node.keys() & {"name", "path", "ref"}) and not is_top
    ignored = _IGNORED if is_component or is_top else frozenset[str]()
    hidden = "_" if is_component or within else "__"
    return {
        name: _without_ignored(child, within=is_component or within)
        for name, child in node.items()
        if not name.startswith(hidden) and name not in ignored
    }
