"""Conformance suites that ship with Vesalia: inherit one, give it your component, and it is tested.

A suite is a plain class of pytest tests; a subclass overrides what makes the component under test. Nothing in
Vesalia imports this package; the writers of components and plug-ins do.
"""
