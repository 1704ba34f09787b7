"""Tests of :mod:`vesalia.inference.streaming`."""
