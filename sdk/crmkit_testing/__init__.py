"""crmkit_testing."""
