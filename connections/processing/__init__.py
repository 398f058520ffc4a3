"""Work on the messages of inbound queues, from their rows: each in a transaction of its own with its effects."""
