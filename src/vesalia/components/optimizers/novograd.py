"""v3's NovoGrad optimizer: one second moment per layer, and the learning rate inside the momentum."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import nn, optim

from vesalia.components.optimizers.base import OptimizerFactory, check_decay
from vesalia.registry.kinds import NonNegative, Probability

__all__ = ["NovoGrad", "NovoGradOptimizer"]


class NovoGrad(OptimizerFactory):
    """NovoGrad with v3's defaults and v3's order of operations; see :class:`NovoGradOptimizer`.

    Args:
        beta1: Decay of the momentum.
        beta2: Decay of the second moment.
        epsilon: Added to the second moment, inside the root.
        weight_decay: Share of the weights added to the scaled gradient.
        grad_averaging: Weigh what enters the momentum by 1 - beta1.

    Raises:
        ConfigError: A decay is 1.
    """

    def __init__(
        self,
        *,
        beta1: Probability = 0.95,
        beta2: Probability = 0.98,
        epsilon: NonNegative = 1e-8,
        weight_decay: NonNegative = 0.0,
        grad_averaging: bool = False,
    ) -> None:
        check_decay(beta1=beta1, beta2=beta2)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.grad_averaging = grad_averaging

    def __call__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> optim.Optimizer:
        """A NovoGrad over ``parameters`` that starts at ``learning_rate``."""
        return NovoGradOptimizer(
            parameters,
            lr=learning_rate,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            grad_averaging=self.grad_averaging,
        )


class NovoGradOptimizer(optim.Optimizer):
    """The optimizer behind :class:`NovoGrad`.

    Per tensor w with gradient g::

        v = b2 v + (1 - b2) ||g||^2        (a number; v = ||g||^2 at the first step)
        m = b1 m + lr (g / sqrt(v + eps) + wd w)
        w = w - m

    The learning rate is inside m, so a change of it works itself in over some steps. The first step and the
    norm per layer are the paper's; eps inside the root and lr inside m are v3's.

    Source: Ginsburg et al., 2019, arXiv:1905.11286.

    Args:
        parameters: What to optimise, or groups of it.
        lr: Learning rate.
        betas: Decay of the momentum and of the second moment.
        eps: Added to the second moment, inside the root.
        weight_decay: Share of the weights added to the scaled gradient.
        grad_averaging: Weigh what enters the momentum by 1 - b1.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        betas: tuple[float, float] = (0.95, 0.98),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        grad_averaging: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "grad_averaging": grad_averaging,
        }
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step; ``closure`` computes the loss anew, as torch's optimizers have it."""
        loss: float | None = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._step_group(group, weights)
        return loss

    def _step_group(self, group: dict[str, Any], weights: list[torch.Tensor]) -> None:
        """All tensors of a group at once: a few calls for the group instead of a few per tensor."""
        beta1, beta2 = group["betas"]
        gradients = [cast("torch.Tensor", weight.grad) for weight in weights]
        squares = list(torch._foreach_norm(gradients))  # noqa: SLF001 - torch's own optimizers use these, too
        torch._foreach_mul_(squares, squares)
        moments, momenta = self._moments(weights, squares)
        torch._foreach_lerp_(moments, squares, 1 - beta2)
        roots = torch._foreach_add(moments, group["eps"])  # noqa: SLF001
        torch._foreach_sqrt_(roots)
        updates = torch._foreach_div(gradients, list(roots))  # noqa: SLF001
        if group["weight_decay"]:
            torch._foreach_add_(updates, weights, alpha=group["weight_decay"])
        share = group["lr"] * ((1 - beta1) if group["grad_averaging"] else 1.0)
        torch._foreach_mul_(momenta, beta1)
        torch._foreach_add_(momenta, updates, alpha=share)
        torch._foreach_sub_(weights, momenta)

    def _moments(
        self, weights: list[torch.Tensor], squares: list[torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The second moments and the momenta; at the first step the squared norms themselves, and zeros."""
        for weight, square in zip(weights, squares, strict=True):
            if not self.state[weight]:
                self.state[weight] = {"second_moment": square.clone(), "momentum": torch.zeros_like(weight)}
        states = [self.state[weight] for weight in weights]
        return [state["second_moment"] for state in states], [state["momentum"] for state in states]
