"""The eCOA service itself: discover, authorize, read and upsert participants, for systems that call from outside.

It keeps its own store and shares nothing with the sync side but `ecoa.contract`.
"""
