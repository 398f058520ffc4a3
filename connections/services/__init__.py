"""What people and peers can make connections do: one module per group of verbs, each in its own transaction."""
