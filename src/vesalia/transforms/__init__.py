"""What happens to a sample on its way to the network and back.

The interface is :class:`vesalia.transforms.base.Transform`: ``draw`` throws the dice, ``apply`` does the work, and the
same parameters give the same result for one volume or a batch, on any device. One class a file, named as in v3; to add
one, copy the smallest neighbour and let its test inherit :class:`vesalia.testing.transforms.TransformSuite`.
Pipelines and inference import this folder; it imports ``imaging``, ``registry.kinds`` and ``errors``.
"""

# SPDX-License-Identifier: Apache-2.0
