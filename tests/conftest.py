"""What holds for every test."""

from hypothesis import settings

# A busy machine is no failure: how long one example takes says nothing about the product.
settings.register_profile("speechcall", deadline=None, max_examples=60)
# What differs from one Python to the next is seen in the first ones.
settings.register_profile("few", deadline=None, max_examples=5)
settings.load_profile("speechcall")
