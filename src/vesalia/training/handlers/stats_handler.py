"""v3's StatsHandler: where the time went, epoch by epoch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

from vesalia.training.listener import EpochReport, Listener, ValidationReport

__all__ = ["StatsHandler"]

_LOG = logging.getLogger(__name__)


class StatsHandler(Listener):
    """Logs time and throughput of every epoch and validation, and the totals at the end."""

    def __init__(self) -> None:
        self._training_s = 0.0
        self._waiting_s = 0.0
        self._validation_s = 0.0
        self._samples = 0.0

    def epoch_ended(self, report: EpochReport) -> None:
        """Log the epoch."""
        self._training_s += report.seconds
        self._waiting_s += report.seconds * report.waiting_share
        self._samples += report.seconds * report.samples_per_s
        _LOG.info(
            "epoch %d: %.1f s, %.1f samples/s, %.0f %% of it waiting for data",
            report.epoch,
            report.seconds,
            report.samples_per_s,
            100 * report.waiting_share,
        )

    def validated(self, report: ValidationReport) -> None:
        """Log the validation."""
        self._validation_s += report.seconds
        each = report.seconds / max(report.cases, 1)
        _LOG.info("validation: %d subjects in %.1f s, %.2f s each", report.cases, report.seconds, each)

    def closed(self) -> None:
        """Log the totals."""
        _LOG.info(
            "in all: %.1f s training (%.1f s of it waiting for data, %.1f samples/s), %.1f s validation",
            self._training_s,
            self._waiting_s,
            self._samples / max(self._training_s, 1e-9),
            self._validation_s,
        )
