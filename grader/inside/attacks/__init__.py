"""Holds harmless attacks, which `doctor --attack` hands in as a submission's modules.

Each tries one thing and returns what it saw; `grader.sandbox.attack` decides outside what held. None of them does harm
where it succeeds, as all of them do where there is no sandbox.
"""
