"""Signing certificates: made, chosen, renewed in stages, and the keys behind them (veeva-core section 11)."""
