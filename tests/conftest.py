"""What holds for every test."""

from hypothesis import settings

# A busy machine is no failure: how long one example takes says nothing about the product.
settings.register_profile("speechcall", deadline=None, max_examples=60)
settings.load_profile("speechcall")
