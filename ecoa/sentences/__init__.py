"""The sentences people read first. Everything a person reads here is marked for translation."""
