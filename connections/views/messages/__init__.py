"""The operators' screens: the list of messages, one message, sending again, replays, holds and the queue log."""
