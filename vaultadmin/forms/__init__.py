"""Shape of what people type about people, profiles, tokens and vaults; rules that need rows are in services."""
