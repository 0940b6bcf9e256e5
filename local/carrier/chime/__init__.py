"""A simulator of the Chime SDK's PSTN audio: its API, action lists, and the telephones that Connect has too."""

from local.carrier.chime.carrier import ChimeCarrier
from local.carrier.chime.settings import ChimeSettings, Fault

__all__ = ["ChimeCarrier", "ChimeSettings", "Fault"]
