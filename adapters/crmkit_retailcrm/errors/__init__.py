"""What retailCRM's refusals mean; only these rooms choose the class of an error."""
