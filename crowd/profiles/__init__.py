"""Profiles of collection management systems: one TOML file a target."""
