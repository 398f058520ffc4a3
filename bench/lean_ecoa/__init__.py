"""A lean eCOA: it stands in for somebody else's machine, which costs this one nothing.

`python -m bench.lean_ecoa PORT CERTIFICATE KEY SETTING [MILLISECONDS]`. Over TLS, every call a run makes: discovery,
sign-in with the right secret, create or update and read-back with a bearer token, in the words of the contract. What
is posted is kept, so what never arrived, arrived twice or was put to the wrong row is seen. With MILLISECONDS every
answer waits so long. SETTING is the JSON of `bench.lean_ecoa.calls.Setting`.
"""
