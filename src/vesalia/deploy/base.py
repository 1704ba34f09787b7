"""What a format is: it writes a trained model, as a program or as files of its own, into a folder."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vesalia.deploy.program import Program
from vesalia.inference.weights import LoadedModel
from vesalia.mmar.plan import EvaluatePlan

__all__ = ["Deployment", "Format"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A model about to be written, and how it is to be called.

    Attributes:
        loaded: The network with its weights and its card.
        program: The same as TorchScript, compared with the network; without content where the network cannot be
            traced and no format needs it.
        folder: Where to write.
        name: Stem of the files, such as ``model``.
        input_name: What the input is called where a format lets one choose.
        output_name: The same for the output.
        serving_name: What a server calls the model.
        any_size: Whether a server may be told that sizes are free (if the program takes any).
        max_batch_size: How many images a server may put into one call.
        plan: What is done before and after the network, for formats that need it.
    """

    loaded: LoadedModel
    program: Program
    folder: Path
    name: str
    input_name: str
    output_name: str
    serving_name: str
    any_size: bool
    max_batch_size: int
    plan: EvaluatePlan | None = None


class Format(ABC):
    """A way to give a model to other software.

    Attributes:
        name: What ``--to`` calls it.
        purpose: What it is for, in a few words.
        needs_plan: Whether it writes what is done before and after the network, too.
        needs_program: Whether it writes the TorchScript program; others do with networks that cannot be traced.
    """

    name: ClassVar[str]
    purpose: ClassVar[str]
    needs_plan: ClassVar[bool] = False
    needs_program: ClassVar[bool] = True

    @abstractmethod
    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the model; each file is whole or not there.

        Returns:
            The files.

        Raises:
            UserError: The network cannot be written in this format.
            ResourceError: The disk is full, or the folder cannot be written.
        """
