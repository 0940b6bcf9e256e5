"""Menus to Amazon States Language. Pure."""
