"""Rehearsals: the real dialler on a virtual clock, over stores in memory, with made-up callees. Nobody is called."""
