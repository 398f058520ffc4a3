"""Pages of eCOA: thin glue between forms, selectors and services."""
