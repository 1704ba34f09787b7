"""StatsHandler: what it says is what the reports held."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest

from vesalia.training.handlers.stats_handler import StatsHandler
from vesalia.training.listener import EpochReport, ValidationReport


def test_logs_every_epoch_and_the_totals(caplog: pytest.LogCaptureFixture) -> None:
    handler = StatsHandler()
    with caplog.at_level(logging.INFO, logger="vesalia"):
        for epoch, waiting in ((1, 0.5), (2, 0.0)):
            handler.epoch_ended(EpochReport(epoch, epoch * 10, 1.0, 0.1, 10.0, 4.0, waiting))
        handler.validated(ValidationReport(2, 20, 6.0, 3, {}, {}, "", 0.5, best=True))
        handler.closed()
    first, second, validation, totals = caplog.messages
    assert first == "epoch 1: 10.0 s, 4.0 samples/s, 50 % of it waiting for data"
    assert second.endswith("0 % of it waiting for data")
    assert validation == "validation: 3 subjects in 6.0 s, 2.00 s each"
    assert totals == "in all: 20.0 s training (5.0 s of it waiting for data, 4.0 samples/s), 6.0 s validation"


def test_a_run_without_epochs_has_totals(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="vesalia"):
        StatsHandler().closed()
    assert caplog.messages == ["in all: 0.0 s training (0.0 s of it waiting for data, 0.0 samples/s), 0.0 s validation"]
