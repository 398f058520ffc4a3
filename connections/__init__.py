"""Connections between vaults and to the outside: records, the connection file, the handshake and its approvals."""
