"""Integrations: what travels along a connection, and the standard ones we ship."""
