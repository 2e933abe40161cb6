"""The bench: a service, an emulated CRM and a clock in one test."""
