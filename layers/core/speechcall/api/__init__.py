"""What the HTTP API's functions have in common: routes, headers, queries, problems, answers."""
