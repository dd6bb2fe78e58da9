"""Devices and their families: resources and delays."""
