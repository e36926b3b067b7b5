"""Who is on a ROS domain."""

import socket
from pathlib import Path

import pytest

from fitmotion_nodes.domain_lock import somebody_is_on

DOMAIN = 90


def test_a_process_on_a_domain_is_noticed_by_its_ports() -> None:
    """The port numbers are those of RTPS 2.3: 7400 + 250 x domain + 10 + 2 x participant."""
    if somebody_is_on(DOMAIN):
        pytest.skip(f"somebody is on domain {DOMAIN}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 7400 + 250 * DOMAIN + 10 + 2 * 3))
        assert somebody_is_on(DOMAIN)
        assert not somebody_is_on(DOMAIN, [Path("/no/such/table")])
    assert not somebody_is_on(DOMAIN)


def test_a_ros_node_is_noticed() -> None:
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=DOMAIN + 1)
    node = rclpy.create_node("somebody", context=context)
    try:
        assert somebody_is_on(DOMAIN + 1)
    finally:
        node.destroy_node()
        context.try_shutdown()
