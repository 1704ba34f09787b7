"""Where an evaluation finds its weights; the interface is :class:`vesalia.components.model_loaders.base.ModelLoader`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
