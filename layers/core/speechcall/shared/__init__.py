"""Words and tools that every room uses: errors, identifiers, time, the table, the clients."""
