from tests.factories.people import make_member, make_user, make_vault

__all__ = ["make_member", "make_user", "make_vault"]
