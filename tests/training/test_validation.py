"""Judging a network on whole subjects while it trains."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from tests.training.fakes import (
    Clock,
    Ears,
    FakePipeline,
    Likeness,
    MeanSquare,
    SlowPipeline,
    Straight,
    TinyModel,
)
from vesalia.components.aux_ops.base import AuxOp
from vesalia.components.metrics.base import Metric, SubjectScore, spacing_of
from vesalia.components.metrics.compute_auc import ComputeAUC
from vesalia.components.metrics.compute_average_dice import ComputeAverageDice
from vesalia.components.metrics.compute_multiclass_average import ComputeMulticlassAverage
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.pipelines.order import Shard
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.precision import Precision
from vesalia.runtime.together import ALONE, Ranks
from vesalia.training.listener import Listener
from vesalia.training.validation import Judged, Validation, can_be_dealt

Value = TypeVar("Value")


class SeenFields(Metric):
    """Remembers which fields it was given."""

    def __init__(self) -> None:
        super().__init__("seen")
        self.fields: list[dict[str, torch.Tensor]] = []

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        self.fields.append(fields)
        return SubjectScore(subject, 0.0)


class Negative(AuxOp):
    """The loss, upside down."""

    def tags(self) -> tuple[str, ...]:
        return ("negative",)

    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        return {"negative": -loss}


def make(metrics: Sequence[Metric], *, source: FakePipeline | None = None, **changes: Any) -> Validation:
    """A validation of three cases."""
    plain: dict[str, Any] = {
        "inferer": Straight(),
        "aux_ops": (),
        "loss": MeanSquare(),
        "device": torch.device("cpu"),
        "precision": Precision("32-true", channels_last=True),
        "autocast": nullcontext,
    }
    return Validation(source=source or FakePipeline(items=3), metrics=metrics, **{**plain, **changes})


def run(
    validation: Validation, model: TinyModel, *, longest_s: float = math.inf, listener: Listener | None = None
) -> Judged:
    """Run it."""
    return validation.run(model, listener=listener or Listener(), stop=StopRequest(), longest_s=longest_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The one that validations look at."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def test_the_flagged_metric_is_the_key_and_else_the_first() -> None:
    one, two = Likeness("one"), Likeness("two")
    assert make([one, two]).key is one
    assert make([one, Likeness("three", is_key_metric=True)]).key.name == "three"


def test_a_metric_of_which_less_is_better_cannot_choose() -> None:
    distance = Likeness("hd95")
    distance.larger_is_better = False
    assert make([distance, Likeness("two")]).key.name == "two"
    with pytest.raises(ConfigError, match=r"validate.metrics: found only hd95, .*write negate_value: true"):
        _ = make([distance]).key


def test_metrics_are_told_the_spacing() -> None:
    metric = SeenFields()
    run(make([metric]), TinyModel())
    fields, image = metric.fields[0], next(FakePipeline().samples())["image"]
    assert spacing_of(fields, "model") == spacing_of(fields, "label") == image.spacing_mm


def test_every_subject_is_scored_by_name_and_in_order() -> None:
    metric = Likeness()
    judged = run(make([metric]), TinyModel())
    assert [score.subject for score in metric.scores] == ["case_0", "case_1", "case_2"]
    assert judged.cases == 3
    assert judged.seconds >= 0


def test_the_score_is_that_of_the_network_in_evaluation_mode() -> None:
    torch.manual_seed(0)
    model, metric = TinyModel(dropout=0.9), Likeness()
    run(make([metric]), model)
    sample = next(FakePipeline().samples())
    with torch.no_grad():
        probabilities = model.eval()(sample["image"].as_batch())
    wanted = 1 - float((probabilities[:, 1:] - sample["label"].as_batch().float()).abs().mean())
    assert metric.scores[0].value == pytest.approx(wanted, abs=1e-6)


def test_the_network_goes_back_to_training_also_after_an_error() -> None:
    class Broken(SeenFields):
        def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
            raise ZeroDivisionError

    model = TinyModel().train()
    run(make([Likeness()]), model)
    assert model.training
    with pytest.raises(ZeroDivisionError):
        run(make([Broken()]), model)
    assert model.training


def test_scores_of_the_validation_before_are_forgotten() -> None:
    metric = Likeness()
    validation = make([metric])
    run(validation, TinyModel())
    run(validation, TinyModel(), longest_s=0)
    assert len(metric.scores) == 1


def test_metrics_see_image_label_prediction_and_tags_without_the_batch_axis() -> None:
    metric = SeenFields()
    run(make([metric], aux_ops=[Negative()]), TinyModel(), longest_s=0)
    shapes = {name: tuple(value.shape) for name, value in metric.fields[0].items()}
    assert shapes == {"image": (1, 4, 4, 4), "label": (1, 4, 4, 4), "model": (2, 4, 4, 4), "negative": ()}
    assert metric.fields[0]["negative"] < 0


def test_gradients_are_not_kept() -> None:
    metric = SeenFields()
    run(make([metric]), TinyModel(), longest_s=0)
    assert not metric.fields[0]["model"].requires_grad


def test_the_loss_is_not_computed_where_nobody_reads_it() -> None:
    loss = MeanSquare()
    run(make([Likeness()], loss=loss), TinyModel())
    assert loss.calls == 0


def test_the_prediction_is_float32_whatever_the_network_computes_in() -> None:
    metric = SeenFields()
    validation = make([metric], autocast=lambda: torch.autocast("cpu", torch.bfloat16))
    run(validation, TinyModel(), longest_s=0)
    assert metric.fields[0]["model"].dtype == torch.float32


def test_the_listener_hears_every_case() -> None:
    ears = Ears()
    run(make([Likeness()], source=FakePipeline(items=2)), TinyModel(), listener=ears)
    assert ears.of("validating") == [(1, 2), (2, 2)]


def test_a_request_to_stop_ends_it_after_the_case_in_work() -> None:
    stop, metric = StopRequest(), Likeness()

    class Impatient(Listener):
        def validating(self, done: int, total: int) -> None:
            stop.signal_number = 2 if done == 2 else None

    judged = make([metric]).run(TinyModel(), listener=Impatient(), stop=stop)
    assert judged.cases == len(metric.scores) == 2
    assert judged.stopped


class TestInPart:
    @pytest.mark.parametrize(
        ("longest_s", "judged"), [(-5, 1), (0, 1), (2.9, 1), (3, 1), (6, 2), (8.9, 2), (9, 3), (99, 5)]
    )
    def test_no_case_is_begun_that_would_end_too_late_and_one_always_is(
        self, clock: Clock, longest_s: float, judged: int
    ) -> None:
        """Loading takes all of the time here, 3 s a case: it counts."""
        metric, source = Likeness(), SlowPipeline(clock, items=5, sample_s=[3.0])
        assert run(make([metric], source=source), TinyModel(), longest_s=longest_s) == Judged(
            judged, 3.0 * judged, stopped=False
        )
        assert len(metric.scores) == source.taken == judged

    def test_a_case_that_takes_long_ends_it(self, clock: Clock) -> None:
        source = SlowPipeline(clock, items=5, sample_s=[1.0, 1.0, 20.0, 1.0])
        assert run(make([Likeness()], source=source), TinyModel(), longest_s=10) == Judged(3, 22.0, stopped=False)

    def test_the_listener_hears_of_how_many_it_is_a_part(self, clock: Clock) -> None:
        ears, source = Ears(), SlowPipeline(clock, items=5)
        run(make([Likeness()], source=source), TinyModel(), longest_s=2, listener=ears)
        assert ears.of("validating") == [(1, 5), (2, 5)]


class TestRehearsal:
    def test_it_leaves_the_network_training(self) -> None:
        model = TinyModel().train()
        assert make([Likeness()]).rehearse(model) > 0
        assert model.training

    @pytest.mark.parametrize(("items", "judged", "seconds"), [(1, 1, 8.0), (3, 3, 4.0), (4, 4, 4.0), (9, 4, 4.0)])
    def test_it_measures_loading_and_judging_of_the_first_few(
        self, clock: Clock, items: int, judged: int, seconds: float
    ) -> None:
        metric, source = Likeness(), SlowPipeline(clock, items=items, sample_s=[8.0, 2.0, 2.0, 4.0, 99.0])
        assert make([metric], source=source).rehearse(TinyModel()) == seconds
        assert [score.subject for score in metric.scores] == [f"case_{number}" for number in range(judged)]

    def test_judging_counts_too(self, clock: Clock) -> None:
        class Slow(Likeness):
            def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
                clock.now += 7.0
                return super().score(subject, fields)

        assert make([Slow()]).rehearse(TinyModel()) == 7.0

    @pytest.mark.parametrize(("longest_s", "judged"), [(0, 1), (25, 2), (100, 4)])
    def test_where_cases_take_long_it_measures_fewer(self, clock: Clock, longest_s: float, judged: int) -> None:
        source = SlowPipeline(clock, items=9, sample_s=[10.0])
        assert make([Likeness()], source=source).rehearse(TinyModel(), longest_s=longest_s) == 10.0
        assert source.taken == judged

    def test_it_takes_no_more_samples_than_it_needs_and_lets_the_source_go(self) -> None:
        taken: list[int] = []

        class Counted(FakePipeline):
            def samples(self) -> Any:
                try:
                    for number, sample in enumerate(super().samples()):
                        taken.append(number)
                        yield sample
                finally:
                    taken.append(-1)

        make([Likeness()], source=Counted()).rehearse(TinyModel())
        assert taken == [0, 1, 2, 3, -1]


class Collecting(Likeness):
    """Collects by itself, and sums that up by itself."""

    def __init__(self, name: str = "collecting") -> None:
        super().__init__(name)
        self.rows: list[float] = []

    def reset(self) -> None:
        super().reset()
        self.rows = []

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        scored = super().score(subject, fields)
        self.rows.append(scored.value)
        return scored

    def compute(self) -> float:
        return sum(self.rows)


class Vouching(SeenFields):
    """Overrides a summary, and says that it needs nothing but the scores."""

    sums_up_scores_alone = True

    def compute(self) -> float:
        return max(score.value for score in self.scores)


def given_in_one_place(metric: Metric) -> Metric:
    """A method of the object's own."""
    metric.compute = lambda: 0.5  # type: ignore[method-assign]
    return metric


class PerClassOfItsOwn(SeenFields):
    def per_class(self) -> tuple[float, ...]:
        return (float(len(self.fields)),)


class BelowOneThatVouches(Vouching):
    def compute(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("metric", "dealt"),
    [
        (SeenFields(), True),
        (ComputeAverageDice("dice", "model", label_field="label"), True),
        (ComputeAUC("auc", "model"), True),
        (ComputeMulticlassAverage("mean", "model"), True),
        (Vouching(), True),
        (Collecting(), False),
        (PerClassOfItsOwn(), False),
        (BelowOneThatVouches(), False),
        (given_in_one_place(SeenFields()), False),
    ],
)
def test_a_metric_that_sums_up_more_than_its_scores_sees_all_subjects(metric: Metric, *, dealt: bool) -> None:
    assert can_be_dealt([SeenFields(), metric]) is dealt


class Vectors(AuxOp):
    """A case as a classifier would have it: a probability and a truth, from its mean intensity."""

    def tags(self) -> tuple[str, ...]:
        return ("shares", "truth")

    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        share = probabilities[0, 1:].mean().reshape(1)
        return {"shares": share, "truth": (target.float().mean() > 0.5).float().reshape(1)}


class Partial(Likeness):
    """No value for the second case, and a class that no case has."""

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        value = super().score(subject, fields).value
        return SubjectScore(subject, math.nan if subject == "case_1" else value, (value, math.nan))


class Dealt(FakePipeline):
    """One rank's part of the cases."""

    def __init__(self, *, items: int, shard: Shard) -> None:
        super().__init__(items=items)
        self.mine = shard.dealt(range(items))

    def samples(self) -> Generator[Sample, None, None]:
        return (sample for number, sample in enumerate(super().samples()) if number in self.mine)


class Table:
    """Where ranks meet that are threads."""

    def __init__(self, world: int) -> None:
        self.barrier = threading.Barrier(world, timeout=30)
        self.texts = [""] * world


class Seat(Ranks):
    """One of them; what it tells goes through JSON, as between processes."""

    def __init__(self, rank: int, table: Table) -> None:
        self.rank, self.world, self.table = rank, len(table.texts), table

    def gather(self, value: Value) -> list[Value]:
        self.table.texts[self.rank] = json.dumps(value)
        self.table.barrier.wait()
        found: list[Value] = [json.loads(text) for text in self.table.texts]
        self.table.barrier.wait()
        return found


def judge(items: int, ranks: Ranks = ALONE) -> tuple[Judged, list[Metric]]:
    """What a rank knows after a validation of ``items`` cases."""
    metrics = [ComputeAUC("auc", "shares", label_field="truth"), Partial("partial"), SeenFields()]
    source = Dealt(items=items, shard=Shard(ranks.rank, ranks.world))
    model = TinyModel()
    for parameter in model.parameters():  # the same for all, who share torch's generator
        parameter.data.copy_(torch.linspace(-1, 0.5, parameter.numel()).reshape(parameter.shape))
    return run(make(metrics, source=source, aux_ops=[Vectors()], ranks=ranks), model), metrics


def judge_together(items: int, world: int) -> list[tuple[Judged, list[Metric]]]:
    """What each of several ranks knows."""
    table = Table(world)
    with ThreadPoolExecutor(world) as threads:
        return list(threads.map(lambda rank: judge(items, Seat(rank, table)), range(world)))


@pytest.mark.parametrize(("items", "world"), [(5, 3), (4, 3), (7, 2), (2, 3)])
def test_every_rank_has_what_one_alone_would_have(items: int, world: int) -> None:
    _, alone = judge(items)
    assert len(alone[0].scores[0].pooled) == 2
    for judged, metrics in judge_together(items, world):
        assert judged.cases == items
        for one, several in zip(alone, metrics, strict=True):
            assert [score.subject for score in several.scores] == [f"case_{number}" for number in range(items)]
            assert repr(several.scores) == repr(one.scores)  # NaN is not equal to itself
            assert repr((several.compute(), several.per_class())) == repr((one.compute(), one.per_class()))


def test_scores_in_numbers_of_numpy_travel_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(_: Partial, subject: str, __: object) -> SubjectScore:
        return SubjectScore(subject, np.float32(0.1), (np.float32(0.2),))

    monkeypatch.setattr(Partial, "score", score)
    (_, (_, found, _)), *_ = judge_together(2, 2)
    assert found.scores[1] == SubjectScore("case_1", float(np.float32(0.1)), (float(np.float32(0.2)),))
