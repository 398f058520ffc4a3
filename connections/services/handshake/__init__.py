"""Two vaults connect and part: files, approvals, and what peers tell each other (veeva-core sections 2 and 3)."""
