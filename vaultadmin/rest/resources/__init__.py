"""The platform's own resources of the Vault REST API."""
