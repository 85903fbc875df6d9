"""The review store: judgements, contests, samples, people; nothing is ever overwritten."""
