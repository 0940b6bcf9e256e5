"""The built functions under Lambda's own runtime, by its interface emulator (RIE) alone or within `sam local`."""
