"""The channels of the message gateway: adapters for operators, their state page and test."""
