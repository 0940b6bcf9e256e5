"""What is kept of people: erased, and told to them."""
