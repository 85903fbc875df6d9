"""The quality team's web app: review, calibrate, learn.

    tables     what the review store keeps, and the values people may give
    reviews    the review store: judgements, contests, promises, samples, actions; nothing is ever overwritten
    people     users, passwords, sessions, who may do what
    index      the calls of OUT as rows of the review store, so that no page reads a whole dataset
"""
