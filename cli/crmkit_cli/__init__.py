"""The command line: `crmkit`."""
