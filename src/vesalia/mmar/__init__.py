"""What an archive (MMAR) is: text in, a checked and frozen plan out.

The interface is :func:`vesalia.mmar.validate.plan_training` and :func:`vesalia.mmar.validate.plan_evaluation`, which
give the plans of :mod:`vesalia.mmar.plan` or raise one error with every fault, and :mod:`vesalia.mmar.build`, which
turns the components of a plan into objects. Training, inference, the Python face and the command line import this
folder; it imports the registry, and never torch.
"""

# SPDX-License-Identifier: Apache-2.0
