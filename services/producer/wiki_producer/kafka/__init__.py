"""The broker: clients and their login, the two topics, and publishing to them."""
