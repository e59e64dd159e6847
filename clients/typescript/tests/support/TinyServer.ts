import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

interface Connection {
  readonly socket: WebSocket;
  readonly channels: Set<string>;
}

/** As much of `tidings.v1` as it takes to lose a connection and to resume, over real sockets. Its history outlives `stop()`. */
export class TinyServer {
  readonly logs = new Map<string, object[]>();
  readonly goodTokens = new Set<string>();
  readonly handshakes: string[] = [];
  /** What a client said, as it came. */
  readonly heard: Record<string, unknown>[] = [];
  /** How many entries the history still holds; what is older can't be replayed. */
  historyLimit = Infinity;
  /** Cuts the line after so many more frames to clients, in the middle of a replay if need be. */
  cutAfter = Infinity;
  readonly #connections = new Set<Connection>();
  #http: Server | null = null;
  #sockets: WebSocketServer | null = null;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#http = createServer((_, response) => response.writeHead(404).end());
    this.#sockets = new WebSocketServer({ server: this.#http, path: '/ws', handleProtocols: (offered) => (offered.has('tidings.v1') ? 'tidings.v1' : false) });
    this.#sockets.on('connection', (socket, request) => this.#accept(socket, request.headers['sec-websocket-protocol'] ?? ''));
    // The same port after a restart, as a server has.
    await new Promise<void>((resolve) => this.#http?.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#http.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#sockets?.close();
    await new Promise((resolve) => (this.#http === null ? resolve(null) : this.#http.close(resolve)));
    this.#http = null;
  }

  publish(channel: string, payload: object): void {
    const log = this.logs.get(channel) ?? [];
    this.logs.set(channel, log);
    const event = { channel, position: `p${log.length + 1}`, id: `${channel}-${log.length + 1}`, timestamp: new Date().toISOString(), ...payload };
    log.push(event);
    for (const connection of this.#connections) if (connection.channels.has(channel)) this.#send(connection, event);
  }

  /** The line goes dead for everybody, without a word. */
  cut(): void {
    for (const { socket } of this.#connections) socket.terminate();
    this.#connections.clear();
  }

  closeAll(code: number, reason: string): void {
    for (const { socket } of this.#connections) socket.close(code, reason);
    this.#connections.clear();
  }

  #accept(socket: WebSocket, protocols: string): void {
    this.handshakes.push(protocols);
    const token = /bearer\.([^,\s]+)/.exec(protocols)?.[1];
    if (token === undefined || !this.goodTokens.has(token)) {
      socket.close(4401, 'invalid_token');
      return;
    }
    const connection: Connection = { socket, channels: new Set() };
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
    socket.on('message', (data) => this.#take(connection, JSON.parse(String(data)) as Record<string, unknown>));
    this.#send(connection, { type: 'connected', connectionId: `c${this.handshakes.length}`, userId: '42', heartbeat: 25, protocol: socket.protocol });
  }

  #take(connection: Connection, message: Record<string, unknown>): void {
    this.heard.push(message);
    const { type, id, since } = message;
    const channel = String(message['channel']);
    if (type === 'subscribe') {
      const log = this.logs.get(channel) ?? [];
      const from = typeof since === 'string' ? Number(since.slice(1)) : log.length;
      const recovered = log.length - from <= this.historyLimit;
      this.#send(connection, { type: 'subscribed', id, channel, position: `p${log.length}`, ...(since !== undefined && { recovered }) });
      if (recovered) for (const event of log.slice(from)) this.#send(connection, event);
      connection.channels.add(channel);
    } else if (type === 'unsubscribe') connection.channels.delete(channel);
    else if (type === 'ping') this.#send(connection, { type: 'pong', id, serverTime: new Date().toISOString() });
    else if (type === 'publish') this.#send(connection, { type: 'error', id, code: 'forbidden', message: 'Clients may not publish here.' });
  }

  #send(connection: Connection, message: object): void {
    if (this.cutAfter-- <= 0) {
      this.cutAfter = Infinity;
      this.cut();
    }
    if (connection.socket.readyState === 1) connection.socket.send(JSON.stringify(message));
  }
}
