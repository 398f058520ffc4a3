"""Pages about what eCOA holds against what we hold: radar, lists, cards, decisions, reconciliation."""
