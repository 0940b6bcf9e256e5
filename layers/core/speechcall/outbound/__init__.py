"""HTTP to addresses that customers give: which are allowed, and the guarded connection to them."""
