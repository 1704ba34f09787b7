"""How samples reach the network: data lists, caches, ordered prefetch and batches.

A pipeline is built from plain values, then bound to transforms and a seed; the bound pipeline gives
epochs of batches (``epoch``) and whole samples (``samples``). What it gives depends on the data, the transforms
and the seed alone: never on the number of workers, on a cache, or on where a run was resumed.

The interfaces are :class:`vesalia.pipelines.base.ItemSource` (where prepared items come from) and
:class:`vesalia.pipelines.pipeline.BoundPipeline`. ``inference``, ``training`` and what lies above may import
this folder; it knows nothing of configs and archives. ``datalist`` needs no torch.
"""

# SPDX-License-Identifier: Apache-2.0
