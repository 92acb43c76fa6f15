"""The small server that runs in every pod.

A TCP client is greeted, and gets back what it sends; a UDP datagram comes
back with the same greeting before it.  The greeting names the pod and the
port, so that a probe can tell that it reached the one it asked for.

The sockets are opened by whoever starts the server and handed down: they
answer from the moment that the process exists.

    server.py NAME FD...
"""

import selectors
import socket
import sys


def greeting(name, port):
    return f"hello from {name} {port}\n".encode()


def accept(selector, name, listener):
    client, _ = listener.accept()
    client.settimeout(5)
    try:
        client.sendall(greeting(name, listener.getsockname()[1]))
    except OSError:
        client.close()
        return
    selector.register(client, selectors.EVENT_READ, echo)


def echo(selector, _name, client):
    try:
        data = client.recv(65536)
        if data:
            client.sendall(data)
            return
    except OSError:
        pass                    # the client went away
    selector.unregister(client)
    client.close()


def answer(_selector, name, sock):
    try:
        data, peer = sock.recvfrom(65536)
        sock.sendto(greeting(name, sock.getsockname()[1]) + data, peer)
    except OSError:
        pass                    # an ICMP error about an earlier answer


def serve(name, fds):
    selector = selectors.DefaultSelector()
    for fd in fds:
        sock = socket.socket(fileno=fd)
        is_tcp = sock.type == socket.SOCK_STREAM
        selector.register(sock, selectors.EVENT_READ,
                          accept if is_tcp else answer)
    while True:
        for key, _ in selector.select():
            key.data(selector, name, key.fileobj)


if __name__ == "__main__":
    serve(sys.argv[1], [int(fd) for fd in sys.argv[2:]])
