"""Merging records so that nothing is lost, in steps that may be broken off and done again."""
