"""Pages of the bundled eCOA service: what this vault looks after of it."""
