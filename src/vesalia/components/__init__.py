"""What a config can name: models, losses, optimizers, learning-rate policies, metrics, inferers, writers and loaders.

Each folder holds one kind: ``base.py`` is its interface, every other file one component under its v3 name. The
folders do not know each other (an inferer knows what a model is, nothing more), and no component knows that
configs exist: a constructor's signature is the schema that the config check reads. Import from the defining module.
"""
