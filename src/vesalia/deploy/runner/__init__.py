"""Inference without torch: a plan, an ONNX network and NumPy; see :mod:`vesalia.deploy.runner.run`."""
