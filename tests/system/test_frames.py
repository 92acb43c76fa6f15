"""The frames are what the kernel's own stack takes for right, and the wire
carries what was put on it."""

import os
import socket
import tempfile

import pytest

from lab import netns

import frames as f

A4, B4 = "10.9.0.1", "10.9.0.2"
A6, B6 = "fd09::1", "fd09::2"
MAC_A, MAC_B = "0a:58:00:00:00:0a", "0a:58:00:00:00:0b"


@pytest.fixture(scope="module", name="cable")
def fixture_cable():
    """Two namespaces with a veth pair between; B has addresses."""
    prefix = "npf" + os.path.basename(tempfile.mktemp())[-6:] + "-"
    a, b = prefix + "a", prefix + "b"
    try:
        for name in (a, b):
            netns.create(name, [("ipv6/conf/default/accept_dad", 0)])
        netns.run("ip", "link", "add", "eth0", "netns", a, "address", MAC_A,
                  "type", "veth", "peer", "name", "eth0", "address", MAC_B,
                  "netns", b)
        netns.run(*netns.command(b, "ethtool", "-K", "eth0", "tx", "off"))
        for name, ips in ((a, ()), (b, (B4 + "/24", B6 + "/64"))):
            netns.ip(name, "link", "set", "eth0", "up")
            for ip in ips:
                netns.ip(name, "addr", "add", ip, "dev", "eth0",
                         *(["nodad"] if ":" in ip else []))
        for family, ip in (("-4", A4), ("-6", A6)):
            netns.ip(b, family, "neigh", "add", ip, "lladdr", MAC_A,
                     "dev", "eth0")
        yield a, b
    finally:
        for name in (a, b):
            netns.delete(name)


def addresses(version):
    return (A4, B4) if version == 4 else (A6, B6)


def test_crc32c_of_rfc_3720():
    assert f.crc32c(bytes(32)) == 0x8a9136aa
    assert f.crc32c(bytes(range(32))) == 0x46dd794e


def test_checksum_of_rfc_1071():
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert f.internet_checksum(data) == 0xffff - 0xddf2


def test_link_local():
    assert f.link_local("0a:58:0a:f4:00:05") == "fe80::858:aff:fef4:5"


@pytest.mark.parametrize("tags", [5, [5, 6]])
def test_tag_is_seen(cable, tags):
    with f.Wire(cable[0]) as a, f.Wire(cable[1]) as b:
        frame = f.eth(MAC_B, MAC_A, f.ip(A4, B4, f.udp(
            A4, B4, 1, 2, b"tagged marker")), vlan=tags)
        a.send(frame)
        assert b.wait_for(b"tagged marker") == frame


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("wrong", [False, True])
def test_kernel_takes_udp(cable, version, wrong):
    src, dst = addresses(version)
    with netns.inside(cable[1]):
        server = socket.socket(socket.AF_INET if version == 4 else
                               socket.AF_INET6, socket.SOCK_DGRAM)
    with server, f.Wire(cable[0]) as a:
        server.bind((dst, 0))
        server.settimeout(5)
        port = server.getsockname()[1]
        if wrong:
            a.send(f.eth(MAC_B, MAC_A, f.ip(src, dst, f.udp(
                src, dst, 9, port, b"bad", checksum=0x1234))))
        a.send(f.eth(MAC_B, MAC_A, f.ip(src, dst, f.udp(
            src, dst, 9, port, b"good"))))
        assert server.recv(100) == b"good"


@pytest.mark.parametrize("version", [4, 6])
def test_kernel_joins_fragments(cable, version):
    src, dst = addresses(version)
    with netns.inside(cable[1]):
        server = socket.socket(socket.AF_INET if version == 4 else
                               socket.AF_INET6, socket.SOCK_DGRAM)
    with server, f.Wire(cable[0]) as a:
        server.bind((dst, 0))
        server.settimeout(5)
        payload = bytes(range(256)) * 3
        segment = f.udp(src, dst, 9, server.getsockname()[1], payload)
        packets = f.fragments(src, dst, segment, 256, ident=7)
        assert len(packets) == 4
        a.send(*(f.eth(MAC_B, MAC_A, packet) for packet in packets))
        assert server.recv(1000) == payload


@pytest.mark.parametrize("version", [4, 6])
def test_kernel_refuses_tcp(cable, version):
    src, dst = addresses(version)
    with f.Wire(cable[0]) as a:
        a.send(f.eth(MAC_B, MAC_A, f.ip(src, dst, f.tcp(
            src, dst, 1000, 9, seq=41))))
        reset = f.tcp(dst, src, 9, 1000, flags="RA", ack=42, window=0)
        assert a.wait_for(bytes(reset))


@pytest.mark.parametrize("version", [4, 6])
def test_kernel_answers_echo(cable, version):
    src, dst = addresses(version)
    with f.Wire(cable[0]) as a:
        a.send(f.eth(MAC_B, MAC_A, f.ip(src, dst, f.echo(
            src, dst, payload=b"marker"))))
        assert a.wait_for(bytes(f.echo(dst, src, payload=b"marker",
                                       reply=True)))


@pytest.mark.parametrize("version", [4, 6])
def test_kernel_sends_error(cable, version):
    """Its "port unreachable" is, byte for byte, the one that we make."""
    src, dst = addresses(version)
    with f.Wire(cable[0]) as a:
        packet = f.ip(src, dst, f.udp(src, dst, 9, 9, b"marker"))
        a.send(f.eth(MAC_B, MAC_A, packet))
        assert a.wait_for(bytes(f.icmp_error(dst, src, packet)))


def test_kernel_takes_icmp_error(cable):
    """A connected socket is told about the error that quotes its packet."""
    with netns.inside(cable[1]):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client, f.Wire(cable[0]) as a:
        client.connect((A4, 9))
        client.settimeout(5)
        client.send(b"marker")
        packet = a.wait_for(b"marker")[14:]
        a.send(f.eth(MAC_B, MAC_A, f.ip(A4, B4, f.icmp_error(
            A4, B4, packet))))
        with pytest.raises(ConnectionRefusedError):
            client.recv(100)


def test_kernel_answers_arp_and_nd(cable):
    with f.Wire(cable[0]) as a:
        a.send(f.arp_request(MAC_A, A4, B4))
        assert a.wait_for(f.arp(2, MAC_B, B4, MAC_A, A4))
        solicitation = f.neighbour_solicitation(A6, B6, MAC_A)
        a.send(f.eth(f.multicast_mac(f.solicited_node(B6)), MAC_A,
                     solicitation))
        answer = f.neighbour_advertisement(B6, A6, B6, MAC_B)
        assert a.wait_for(lambda frame: frame[14 + 40:] == answer[40:])


def test_options_move_the_payload():
    packet = f.ipv4(A4, B4, f.UDP, f.udp(A4, B4, 1, 2, b"x"),
                    options=b"\x01\x01\x01\x00")
    assert packet[0] == 0x46 and packet[24:26] == b"\x00\x01"
    assert f.internet_checksum(packet[:24]) == 0


def test_sctp_is_whole():
    """A receiver computes the sum over the packet with the field zeroed."""
    packet = f.sctp(1, 2, f.sctp_init(marker=b"marker"))
    blank = packet[:8] + bytes(4) + packet[12:]
    assert int.from_bytes(packet[8:12], "little") == f.crc32c(blank)
    assert len(packet) % 4 == 0


def test_passed_tells_both(cable):
    """A cable drops nothing; a frame that does not hold the marker, stands
    here for one that was dropped."""
    def frame(text):
        return f.eth(MAC_B, MAC_A, f.ip(A4, B4, f.udp(A4, B4, 1, 2, text)))

    fence = frame(b"fence" + bytes(16) + b"the end of fence")
    with f.Wire(cable[0]) as a, f.Wire(cable[1]) as b:
        assert f.passed(a, b, frame(b"one marker"), b"one marker", fence)
        assert not f.passed(a, b, frame(b"lost"), b"two marker", fence)
