"""The exception tree: exit codes, the built-in each class also is, and how faults are shown."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
import json

import pytest

from vesalia import errors
from vesalia.errors import ConfigError, Fault, Interrupted, UserError, VesaliaError

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_exception_is_ours_public_and_drawn_in_the_tree(error: type[Exception]) -> None:
    assert issubclass(error, VesaliaError)
    assert error.__name__ in errors.__all__
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ConfigError, ValueError),
        (errors.DataError, ValueError),
        (errors.ArchiveError, FileNotFoundError),
        (errors.CustomCodeRefused, PermissionError),
        (errors.CheckpointError, ValueError),
        (errors.TrainingError, ArithmeticError),
        (errors.ResourceError, OSError),
    ],
)
def test_user_errors_are_also_the_builtin_a_caller_expects(error: type[VesaliaError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin) as caught:
        raise error("found 1, expected 2")
    assert isinstance(caught.value, UserError)
    assert caught.value.exit_code == 2
    assert str(caught.value) == "found 1, expected 2"


def test_a_defect_of_ours_has_exit_code_1() -> None:
    assert VesaliaError("broken").exit_code == 1


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_an_interruption_exits_as_shells_expect(number: int, code: int) -> None:
    assert Interrupted("stopped", signal_number=number).exit_code == code


def test_a_fault_says_where_found_expected_and_what_to_write() -> None:
    fault = Fault("config/config_train.json", "epochs", "'ten'", "a whole number", "10")
    assert str(fault) == "config/config_train.json: epochs: found 'ten', expected a whole number; write 10"


def test_a_fault_leaves_out_what_it_does_not_know() -> None:
    assert str(Fault("a.json", found="nothing")) == "a.json: found nothing"


def test_a_fault_is_json() -> None:
    fault = Fault("a.json", "b", "1", "2", "3")
    assert json.loads(json.dumps(fault.to_dict())) == {
        "file": "a.json",
        "key": "b",
        "found": "1",
        "expected": "2",
        "write": "3",
    }


def test_an_error_shows_all_its_faults_under_the_message() -> None:
    faults = [Fault("a.json", "x", "1", "2"), Fault("b.json", "y", "3", "4")]
    error = ConfigError("the config has 2 faults:", faults=iter(faults))
    assert error.faults == tuple(faults)
    assert str(error).splitlines() == ["the config has 2 faults:", str(faults[0]), str(faults[1])]


def test_an_error_of_faults_alone_has_no_empty_line() -> None:
    assert str(ConfigError(faults=[Fault("a.json", "x", "1", "2")])) == "a.json: x: found 1, expected 2"
