"""Sandbox vaults: create and refresh. Each app registers what it copies and what then waits to be mended."""
