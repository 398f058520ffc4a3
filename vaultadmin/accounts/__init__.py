"""Signing in: django-allauth and django-axes, fitted to this house."""
