"""Membership of servers and keepers in ZooKeeper; knows no RPC and no learners."""
