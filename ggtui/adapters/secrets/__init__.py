"""Keys of other servers, read where a person keeps them."""
