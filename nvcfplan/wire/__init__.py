"""The API's JSON, as models: what goes over the wire, for client and emulator alike."""
