"""Telephonies and call tracking: a module per provider, each a `Source` of finished calls."""
