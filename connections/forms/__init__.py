"""Forms check shape: presence, size, format. Rules that need rows live in services."""
