"""Faults are collected, and told at once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.errors import ConfigError, CustomCodeRefused, Fault
from vesalia.mmar.findings import Findings


def test_keeps_what_a_reading_raises() -> None:
    findings = Findings("c.json")
    fault = Fault("other.json", "a", "b", "c")

    def fail() -> int:
        raise ConfigError(faults=[fault])

    assert findings.attempt(fail) is None
    assert findings.attempt(lambda: 3) == 3
    assert findings.faults == [fault]


def test_knows_what_lies_below_a_key() -> None:
    findings = Findings("c.json", unresolved={"a.b[0].c"}, dropped=["x[1]"])
    assert [findings.is_unresolved(key) for key in ("a", "a.b", "a.b[0]", "a.b[0].c", "a.b[0].cc", "ab", "b")] == [
        *[True] * 4,
        *[False] * 3,
    ]
    assert [findings.is_dropped(key) for key in ("x[1]", "x[1].args", "x[10]", "x")] == [True, True, False, False]


def test_an_unknown_key_is_a_fault_where_it_is_nearly_a_known_one() -> None:
    findings = Findings("c.json")
    findings.unknown_key("train", "los", known=["loss", "model"], present={"los": 1})
    findings.unknown_key("", "modell", known=["loss", "model"], present={"model": 1, "modell": 1})
    assert [str(fault) for fault in findings.faults] == [
        "c.json: train.los: found the key los, expected a key that is read here; write loss (did you mean this?)"
    ]
    assert [str(fault) for fault in findings.warnings] == [
        "c.json: modell: found a key that nothing reads, expected one of loss, model"
    ]
    assert findings.meant == {"train.loss"}


def test_one_error_holds_everything_once() -> None:
    findings = Findings("c.json")
    assert findings.error() is None
    refusal = Fault("c.json", "path", "code", "leave")
    findings.refusals += [refusal, refusal]
    refused = findings.error()
    assert isinstance(refused, CustomCodeRefused)
    assert refused.faults == (refusal,)
    findings.fault("b", found="x", expected="y")
    findings.fault("b", found="x", expected="y")
    error = findings.error()
    assert isinstance(error, ConfigError)
    assert [fault.key for fault in error.faults] == ["b", "path"]
