// The floor: what one epoll loop on one core can do when it does nothing else. It upgrades WebSockets, knows one channel and no rights, and sends
// a frame that was built once to everybody. Events that were published in one round of the loop become one write for each subscriber.
//
//   GET /         a WebSocket; the text message "subscribe" is answered with "subscribed"
//   POST /publish the body is the next event
//   GET /health   200
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

constexpr size_t MaxRequest = 1 << 20;
constexpr size_t MaxWaiting = 1 << 20;

struct Connection {
    bool open = false, upgraded = false, subscribed = false, wantsWrite = false;
    std::string received;  // a request or frame that is not whole yet
    std::string waiting;   // what the kernel did not take
};

int epollFd;
std::vector<Connection> connections;
std::vector<int> subscribers;
std::string batch;  // the frames that were published in this round

uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

// SHA-1 of RFC 3174, for Sec-WebSocket-Accept only.
void sha1(std::string text, uint8_t out[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const uint64_t bits = text.size() * 8;
    text += '\x80';
    text.resize((text.size() + 8 + 63) / 64 * 64, '\0');
    for (int i = 0; i < 8; i++) text[text.size() - 1 - i] = static_cast<char>(bits >> (8 * i));
    for (size_t block = 0; block < text.size(); block += 64) {
        uint32_t w[80];
        for (int i = 0; i < 16; i++) {
            const auto* p = reinterpret_cast<const uint8_t*>(text.data()) + block + 4 * i;
            w[i] = uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
        }
        for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            const uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            const uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            const uint32_t next = rotate(a, 5) + f + e + k + w[i];
            e = d, d = c, c = rotate(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++) out[i] = static_cast<uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
}

std::string accepted(const std::string& key) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t hash[21] = {};
    sha1(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", hash);
    std::string text;
    for (int i = 0; i < 21; i += 3) {
        const uint32_t v = uint32_t{hash[i]} << 16 | uint32_t{hash[i + 1]} << 8 | (i + 2 < 21 ? hash[i + 2] : 0);
        for (int shift = 18; shift >= 0; shift -= 6) text += digits[v >> shift & 63];
    }
    text.back() = '=';
    return text;
}

std::string frame(uint8_t opcode, const char* data, size_t length) {
    std::string bytes(1, static_cast<char>(0x80 | opcode));
    if (length < 126) {
        bytes += static_cast<char>(length);
    } else if (length < 65536) {
        bytes += {126, static_cast<char>(length >> 8), static_cast<char>(length)};
    } else {
        bytes += 127;
        for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(static_cast<uint64_t>(length) >> shift);
    }
    return bytes.append(data, length);
}

void watch(int fd, int operation, uint32_t interest) {
    epoll_event change{};
    change.events = interest;
    change.data.fd = fd;
    epoll_ctl(epollFd, operation, fd, &change);
}

void drop(int fd) {
    close(fd);
    connections[fd] = Connection();
    for (size_t i = 0; i < subscribers.size(); i++)
        if (subscribers[i] == fd) {
            subscribers[i] = subscribers.back();
            subscribers.pop_back();
            break;
        }
}

void write(int fd, const std::string& bytes) {
    auto& connection = connections[fd];
    if (!connection.open) return;
    ssize_t sent = 0;
    if (connection.waiting.empty()) {
        sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) sent = 0;  // a broken connection is noticed when it is read
    }
    if (static_cast<size_t>(sent) == bytes.size()) return;
    connection.waiting.append(bytes, sent, std::string::npos);
    if (!connection.wantsWrite) watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    connection.wantsWrite = true;
}

void onWritable(int fd) {
    auto& connection = connections[fd];
    const ssize_t sent = send(fd, connection.waiting.data(), connection.waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) connection.waiting.erase(0, sent);
    if (!connection.waiting.empty()) return;
    connection.wantsWrite = false;
    watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

std::string field(const std::string& head, const char* name) {
    for (size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
        const char* line = head.c_str() + at + 2;
        if (strncasecmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':') continue;
        const size_t start = head.find_first_not_of(' ', at + 2 + strlen(name) + 1);
        return head.substr(start, head.find("\r\n", start) - start);
    }
    return "";
}

// True when one whole request was taken off the front.
bool takeRequest(int fd) {
    auto& connection = connections[fd];
    const size_t end = connection.received.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::string head = connection.received.substr(0, end + 2);
    const std::string key = field(head, "Sec-WebSocket-Key");
    if (!key.empty()) {
        connection.upgraded = true;
        connection.received.erase(0, end + 4);
        write(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accepted(key) + "\r\n\r\n");
        return true;
    }
    const size_t length = strtoul(field(head, "Content-Length").c_str(), nullptr, 10);
    if (connection.received.size() < end + 4 + length) return false;
    if (head.compare(0, 14, "POST /publish ") == 0) batch += frame(1, connection.received.data() + end + 4, length);
    connection.received.erase(0, end + 4 + length);
    write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    return true;
}

// A client of this server sends short frames only: "subscribe", pings and pongs. False when the connection is to be dropped.
bool takeFrame(int fd, bool& taken) {
    auto& connection = connections[fd];
    auto& bytes = connection.received;
    taken = false;
    if (bytes.size() < 6) return true;
    const size_t length = bytes[1] & 0x7F;
    if (length > 125) return false;
    if (bytes.size() < 6 + length) return true;
    std::string payload = bytes.substr(6, length);
    for (size_t i = 0; i < length; i++) payload[i] ^= bytes[2 + i % 4];
    const int opcode = bytes[0] & 0x0F;
    bytes.erase(0, 6 + length);
    taken = true;
    if (opcode == 8) return false;
    if (opcode == 9) write(fd, frame(10, payload.data(), payload.size()));
    if (opcode == 1 && payload == "subscribe" && !connection.subscribed) {
        connection.subscribed = true;
        subscribers.push_back(fd);
        write(fd, frame(1, "subscribed", 10));
    }
    return true;
}

void onReadable(int fd) {
    char buffer[65536];
    const ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return drop(fd);
    if (count < 0) return;
    auto& connection = connections[fd];
    connection.received.append(buffer, count);
    if (connection.received.size() > MaxRequest) return drop(fd);
    for (bool taken = true; taken && !connection.received.empty();) {
        if (!connection.upgraded)
            taken = takeRequest(fd);
        else if (!takeFrame(fd, taken))
            return drop(fd);
    }
    if (connection.received.empty()) connection.received.shrink_to_fit();
}

void onConnecting(int listener) {
    for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (static_cast<size_t>(fd) >= connections.size()) connections.resize(fd + 1024);
        connections[fd].open = true;
        watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }
}

void broadcast() {
    for (size_t i = 0; i < subscribers.size();) {
        const int fd = subscribers[i];
        if (connections[fd].waiting.size() > MaxWaiting) {
            drop(fd);  // puts another in its place
            continue;
        }
        write(fd, batch);
        i++;
    }
    batch.clear();
}

}  // namespace

int main(int argc, char** argv) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(argc > 1 ? atoi(argv[1]) : 0));
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || listen(listener, 4096) < 0) {
        perror("floor: cannot listen");
        return 1;
    }
    epollFd = epoll_create1(EPOLL_CLOEXEC);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    connections.resize(1024);
    epoll_event events[512];
    for (;;) {
        const int count = epoll_wait(epollFd, events, 512, -1);
        for (int i = 0; i < count; i++) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                onConnecting(listener);
                continue;
            }
            if (events[i].events & EPOLLOUT) onWritable(fd);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) onReadable(fd);
        }
        if (!batch.empty()) broadcast();
    }
}
