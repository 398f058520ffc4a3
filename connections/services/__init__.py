"""What people and peers can make connections do: one module per group of verbs, each in its own transaction.

Here: records and their parts. `handshake` connects two vaults, `signing` keeps the certificates, `copies` is about
sandboxes and copied installations, `messages` about queues and what travels through them.
"""
