"""How the review store's schema came to be, a file a step; `reviews.open_database` goes through those that are new."""
