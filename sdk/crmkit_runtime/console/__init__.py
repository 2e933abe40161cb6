"""The console: the pages of extensions and what the service did, for whoever knows the operator's password."""
