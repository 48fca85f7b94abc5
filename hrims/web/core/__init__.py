"""What pages and API share: guard, errors, headers, templates, serializers, and the state of the app."""
