"""Electronic signatures: meaning, fresh credentials, bound to a version hash (21 CFR 11.50, 11.70, 11.200).

The rule of what a person shows at signing, however recently they signed in:

- the password, every time, typed where the act is;
- with a second factor set up, its code as well at the first signing of a session (all components), afterwards the
  password alone (at least one component only that person can use); a new session begins anew;
- or a passkey, which is possession and person in one, shown for exactly this act and used up by it;
- without a password: the identity provider, or the second factor, asked again for exactly this act.
"""
