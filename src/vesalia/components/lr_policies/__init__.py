"""Learning-rate policies; the interface is :class:`vesalia.components.lr_policies.base.LearningRatePolicy`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
