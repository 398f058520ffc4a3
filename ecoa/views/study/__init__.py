"""Pages of the study team."""
