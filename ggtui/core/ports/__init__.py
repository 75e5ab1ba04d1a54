"""What the services need from the outside world, as small protocols. Each promise has a contract test."""
