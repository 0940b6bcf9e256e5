"""POST /bat/messagelist: read, checked, accepted, stored."""
