"""What the product needs from the world, as protocols only; adapters keep them, flows use them."""
