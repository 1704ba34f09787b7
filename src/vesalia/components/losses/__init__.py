"""Losses over probabilities; the interface is :class:`vesalia.components.losses.base.Loss`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
