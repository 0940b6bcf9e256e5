"""Where the product lies that runs here: template.yaml, and the functions' folders beside it."""

from pathlib import Path

_CARRIED = Path(__file__).parents[1] / "carried"
"""What a wheel carries of the product (setup.py); in the repository it is not there."""
PRODUCT = _CARRIED if _CARRIED.is_dir() else Path(__file__).parents[2]
