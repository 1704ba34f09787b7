"""Optimizers; the interface is :class:`vesalia.components.optimizers.base.OptimizerFactory`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
