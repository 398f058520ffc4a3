"""Spark messages on the wire: the envelope, its signature, and the strict reader of both (veeva-core section 6)."""
