"""DDS domains, of which each test process has its own share."""

from __future__ import annotations

import os

DOMAINS = 100  # of more, the ports would reach those that the system gives to any socket


def new_domain():
    """
    Return a DDS domain that no other test of this run has, on this host, for all processes.

    The processes of pytest-xdist never share one. Where in its share a process begins is by its
    number, so that two runs on one host seldom meet.
    """
    share = DOMAINS // int(os.environ.get('PYTEST_XDIST_WORKER_COUNT', '1'))
    worker = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))
    new_domain.taken = getattr(new_domain, 'taken', os.getpid()) + 1
    domain = worker * share + new_domain.taken % share + 1
    os.environ['ROS_DOMAIN_ID'] = str(domain)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return domain
