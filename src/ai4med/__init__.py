"""The names that custom transforms and metrics of Clara Train v3 import, so that they run unchanged.

An independent, compatible surface that belongs to Vesalia: written from the documented behaviour, in NumPy alone.
Nothing of NVIDIA's code is in it, and NVIDIA has no part in it. New code does better to build on ``vesalia`` itself.
"""

# SPDX-License-Identifier: Apache-2.0
