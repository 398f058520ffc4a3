"""Digest mails: what changed in eCOA and what needs somebody, as often as each person wants it."""
