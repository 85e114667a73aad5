"""The suite for client libraries: the chapter "client" of the contract."""
