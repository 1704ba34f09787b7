"""Predictions without volumes of probabilities: what a window finishes is decided and forgotten.

Planning and blending (``arrays``, ``blending``, ``shelf``, ``sinks``, ``restoring``) know NumPy alone, so that any
runtime of networks can use them; ``tensors``, ``heads``, ``passes`` and ``prediction`` bring torch.
"""
