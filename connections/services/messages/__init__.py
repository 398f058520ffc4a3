"""What is done with queues and the messages in them: put, accept, hold, send again, watch, forget."""
