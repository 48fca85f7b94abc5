"""What administrators see of webhooks: endpoints without their secrets, messages and every try at them."""
