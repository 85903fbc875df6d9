"""The pages of the review app, one file a page."""
