"""A trial of somebody's receiver of webhooks: `speechcall receiver try`."""
