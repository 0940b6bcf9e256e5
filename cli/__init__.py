"""The operators' command: `speechcall NOUN VERB [--local | --stack NAME]`."""
