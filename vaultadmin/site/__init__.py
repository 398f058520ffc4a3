"""Composition: what needs every app. May import all; imported by none but urls and settings."""
