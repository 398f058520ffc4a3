"""The Vault REST API (veeva-core 15): envelope, versions, sessions, Client IDs, pace and usage log.

Apps add resources by `registries.rest_resources` with views made by `vaultadmin.rest.endpoint.endpoint`.
"""
