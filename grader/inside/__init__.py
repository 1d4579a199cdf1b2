"""Holds all of the grader that exists inside the sandbox: the codec, the module loader and the worker.

Nothing in here may import the rest of the package: these files alone are readable beside a student's code.
"""
