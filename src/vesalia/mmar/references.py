"""Names that point: ``Class#Alias``, and ``{"ref": handle}`` from one section into another."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vesalia.mmar.findings import Findings
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.kinds import shown
from vesalia.runtime.nearness import nearest

__all__ = ["Handles", "Reference", "resolve", "split_name"]


def split_name(name: str) -> tuple[str, str]:
    """Class and handle of ``Class#Alias``; without an alias both are the class name."""
    class_name, hash_mark, alias = (part.strip() for part in name.partition("#"))
    return class_name, alias if hash_mark and alias else class_name


@dataclass(frozen=True, slots=True)
class Reference:
    """A component that stands elsewhere.

    Attributes:
        handle: What it is called there.
        where: Key path of the reference.
    """

    handle: str
    where: str


@dataclass(slots=True)
class Handles:
    """The transforms of a config by what they are called.

    Attributes:
        plans: Handle to transforms; several where the name is not unique.
        disabled: Handles of disabled transforms.
    """

    plans: dict[str, list[ComponentPlan]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)

    def add(self, plan: ComponentPlan) -> None:
        """Register a transform."""
        self.plans.setdefault(plan.handle, []).append(plan)


def resolve(
    members: Sequence[ComponentPlan | Reference], handles: Handles, *, findings: Findings
) -> tuple[ComponentPlan, ...]:
    """The components with every reference followed; references to disabled components are left out."""
    found: list[ComponentPlan] = []
    for member in members:
        plan = member if isinstance(member, ComponentPlan) else _follow(member, handles, findings)
        if plan is not None:
            found.append(plan)
    return tuple(found)


def _follow(reference: Reference, handles: Handles, findings: Findings) -> ComponentPlan | None:
    plans = handles.plans.get(reference.handle, [])
    if not plans:
        if reference.handle not in handles.disabled:
            _report_unknown(reference, handles, findings)
        return None
    first = plans[0]
    if all((plan.target, plan.args) == (first.target, first.args) for plan in plans):
        return first
    if any(plan.handle != plan.name for plan in plans):  # copied lists may repeat an alias, until one must be chosen
        places = ", ".join(plan.where for plan in plans)
        findings.fault(
            f"{reference.where}.ref",
            found=f"the alias {shown(first.handle)} of transforms that differ ({places})",
            expected="an alias of its own for each",
            write=shown(f"{plans[-1].name}#{first.handle}2"),
        )
    else:
        findings.warn(
            f"{reference.where}.ref",
            found=f"{shown(reference.handle)}, which {len(plans)} transforms are called",
            expected=f"a name of its own (the last one is taken, {plans[-1].where})",
            write=f"aliases, such as {shown(plans[-1].name + '#ScaleImg')}, and the alias in ref",
        )
    return plans[-1]


def _report_unknown(reference: Reference, handles: Handles, findings: Findings) -> None:
    near = nearest(reference.handle, list(handles.plans))
    if findings.unreadable and near is None:
        findings.unreadable.append(reference.where)
        return
    known = ", ".join(handles.plans) or "none here"
    findings.fault(
        f"{reference.where}.ref",
        found=shown(reference.handle),
        expected=f"the name or alias of a transform of this config ({known})",
        write=f"{shown(near)} (did you mean this?)" if near else "one of these, or the transform in full",
    )
