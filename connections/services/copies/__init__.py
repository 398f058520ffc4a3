"""What becomes of connections in a sandbox, and in a copy of the whole installation (veeva-core section 12)."""
