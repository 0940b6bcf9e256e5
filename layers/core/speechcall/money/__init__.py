"""What calls cost: the operator's rates, by the beginnings of numbers, and the price of a call under them."""
