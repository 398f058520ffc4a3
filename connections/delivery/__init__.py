"""The sender: takes due copies of messages from their rows, signs and posts them, and writes down what became of them.

`policy` holds the numbers, `claiming` takes rows, `routing` says where a lane leads, `building` makes the signed
request, `carrying` makes the calls, `settling` writes the outcomes, `draining` puts them together.
"""
