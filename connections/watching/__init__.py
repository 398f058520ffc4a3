"""Alert rules at work: measure what they watch, open and end alerts, tell people and programs. All from rows."""
