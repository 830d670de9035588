"""Handlers of the methods of services that call other servers of a cluster, a module a service.

Each has a class ``Handlers``, made of ``Peers``, whose coroutines take the place of the model's handlers.
"""
