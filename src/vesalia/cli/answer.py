"""How a command ends: an answer for people or for machines, and the exit code."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from vesalia.errors import ConfigError, Fault, ToldElsewhere, UserError, VesaliaError
from vesalia.runtime.files import as_resource_error
from vesalia.runtime.jsonfile import as_json

__all__ = ["answer_usage_error", "attempt", "run", "say", "show_warnings"]

Result = TypeVar("Result")

_DEFECT = 1
_USER_ERROR = 2
_INTERRUPTED = 130
_CLOSED_PIPE = 141
_LEFT_OUT = {"filelock", "lightning_fabric", "monai", "PIL", "safetensors", "tensorboard", "torch"}
"""What the distribution without torch has not: see packages/infer."""
_MENDABLE = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


def say(text: str, *, to_stderr: bool = False) -> None:
    """Show ``text`` to the person at the keyboard."""
    typer.echo(text, err=to_stderr)


def show_warnings(warnings: Iterable[Fault]) -> None:
    """Show what is odd and was lived with, where it disturbs no answer."""
    for warning in warnings:
        say(f"warning: {warning}", to_stderr=True)


def run(work: Callable[[], Mapping[str, Any]], *, json_wanted: bool) -> None:
    """Do the work of a command and end it.

    Args:
        work: Does it, and shows people what came of it; what it returns is the JSON answer.
        json_wanted: Whether the last line of standard output must be that answer.

    Raises:
        typer.Exit: With the exit code, where it is not 0.
    """
    answer = {"ok": True, **attempt(work, json_wanted=json_wanted)}
    if json_wanted:
        say(_line(answer))
    if not answer["ok"]:
        raise typer.Exit(_USER_ERROR)


def attempt(work: Callable[[], Result], *, json_wanted: bool) -> Result:
    """Do the work, or answer what went wrong and leave.

    Raises:
        typer.Exit: The work failed; the exit code says how.
    """
    _quieten()
    _show_log(to_stderr=json_wanted)
    try:
        return work()
    except VesaliaError as error:
        _fail(error, error.exit_code, json_wanted=json_wanted)
    except BrokenPipeError:
        raise typer.Exit(_leave_quietly()) from None
    except ModuleNotFoundError as error:
        lack = _lack_of_torch(error)
        _fail(lack or error, lack.exit_code if lack else _DEFECT, json_wanted=json_wanted)
    except OSError as error:
        known = _as_user_error(error)
        _fail(known or error, known.exit_code if known else _DEFECT, json_wanted=json_wanted)
    except KeyboardInterrupt as error:
        _fail(error, _INTERRUPTED, json_wanted=json_wanted)
    except Exception as error:  # noqa: BLE001 - the edge: a defect of ours must still be answered
        _fail(error, _DEFECT, json_wanted=json_wanted)


def _leave_quietly() -> int:
    """What to do when nobody reads standard output any more (``vesalia components | head``): nothing, in silence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _CLOSED_PIPE


def answer_usage_error(error: Exception, *, json_wanted: bool) -> int:
    """Show what was wrong with the arguments themselves; returns the exit code."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        return _INTERRUPTED
    if not hasattr(error, "format_message"):  # not about the arguments
        _tell(error, _DEFECT, json_wanted=json_wanted)
        return _DEFECT
    message = str(error.format_message())
    say(f"vesalia: {message}\nTry 'vesalia --help'.", to_stderr=True)
    if json_wanted:
        say(_line({"ok": False, "error": "UsageError", "message": message, "faults": [], "exit_code": _USER_ERROR}))
    return int(getattr(error, "exit_code", _USER_ERROR))


def _fail(error: BaseException, code: int, *, json_wanted: bool) -> NoReturn:
    """Say what went wrong, and leave."""
    _tell(error, code, json_wanted=json_wanted)
    raise typer.Exit(code)


def _tell(error: BaseException, code: int, *, json_wanted: bool) -> None:
    if isinstance(error, ToldElsewhere):
        return
    if code == _DEFECT and not isinstance(error, VesaliaError):
        say("".join(traceback.format_exception(error)), to_stderr=True)
        text = f"this is a defect of Vesalia ({type(error).__name__}: {error}); please report it with the lines above"
    elif isinstance(error, KeyboardInterrupt):
        text = "stopped at once, without saving what was in work; files that were finished are whole"
    else:
        text = str(error)
    say(text if isinstance(error, UserError) else f"vesalia: {text}", to_stderr=True)
    if json_wanted:
        faults = [fault.to_dict() for fault in getattr(error, "faults", ())]
        kind = type(error).__name__
        say(_line({"ok": False, "error": kind, "message": text, "faults": faults, "exit_code": code}))


def _line(answer: Mapping[str, Any]) -> str:
    return json.dumps(as_json(answer), allow_nan=False)


def _as_user_error(error: OSError) -> UserError | None:
    """A full disk or a locked folder, met where nothing of ours stood in between; None for anything else."""
    if error.errno not in _MENDABLE:
        return None
    return as_resource_error(Path(str(error.filename or "the disk")), error)


def _lack_of_torch(error: ModuleNotFoundError) -> UserError | None:
    """What to say where only the part without torch is installed; None where something else is missing."""
    package = (error.name or "").partition(".")[0]
    if package not in _LEFT_OUT:
        return None
    message = f"found no {package}, which this command needs, expected the whole of Vesalia; write pip install vesalia"
    return ConfigError(f"{message} in place of vesalia-infer (which runs exported models: --engine onnx)")


def _quieten() -> None:
    """Keep other libraries' warnings and hints off the screen; ``-W`` on the Python command brings them back."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for name in ("lightning_fabric.utilities.rank_zero", "lightning.fabric", "monai", "nibabel"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _show_log(*, to_stderr: bool) -> None:
    """Show what Vesalia itself logs, such as a StatsHandler's lines."""
    log = logging.getLogger("vesalia")
    handler = logging.StreamHandler(sys.stderr if to_stderr else sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers = [handler]
    log.setLevel(logging.INFO)
