"""Repairs of moto 5.2.5, one function each; the symptom that it removes stands in its docstring."""
