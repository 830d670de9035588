"""The models, one a service."""
