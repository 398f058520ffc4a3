"""The demo world of interfaces.md section 2: one company's vaults, people, connections and one study.

Every part is idempotent: it looks for what it made before and goes on.
"""
