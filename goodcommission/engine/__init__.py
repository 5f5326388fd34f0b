"""Engines: facts, conditions, verdicts and patterns."""
