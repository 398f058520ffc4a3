"""Work on the messages of inbound queues, from their rows: each in one transaction with its effects."""
