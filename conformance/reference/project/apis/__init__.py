"""The old APIs, one URL configuration a module."""
