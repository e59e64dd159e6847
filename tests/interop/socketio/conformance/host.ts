import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import { until } from '../../server'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..')
const binary = process.env['TIDINGS_PROTOCOL_HOST'] ?? join(root, 'tests/Tidings.ProtocolHost/bin/Debug/net10.0/Tidings.ProtocolHost.dll')

/** The times of the host, which the protocols' own suites expect as well. */
export const pingInterval = 300
export const pingTimeout = 200

/** The host of the two layers without the product, in a process of its own. */
export class Host {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(): Promise<Host> {
    const port = await freePort()
    const child = spawn('dotnet', [binary, String(port)], { stdio: 'inherit' })
    await until(async () => (await fetch(`http://localhost:${port}/engine.io/?EIO=4&transport=polling`).catch(() => undefined))?.ok ?? false, 'the host is up')
    return new Host(child, port)
  }

  stop(): void {
    this.child.kill('SIGKILL')
  }

  url(path: string, query: string): string {
    return `http://localhost:${this.port}${path}?${query}`
  }

  /** Opens a session over polling. */
  async session(path: string): Promise<string> {
    const body = await (await fetch(this.url(path, 'EIO=4&transport=polling'))).text()
    return (JSON.parse(body.slice(1)) as { sid: string }).sid
  }

  async poll(path: string, sid: string, init?: RequestInit): Promise<Response> {
    return await fetch(this.url(path, `EIO=4&transport=polling&sid=${sid}`), init)
  }

  async send(path: string, sid: string, body: string): Promise<Response> {
    return await this.poll(path, sid, { method: 'POST', body })
  }

  socket(path: string, query: string): Peer {
    return new Peer(this.url(path, query).replace('http', 'ws'))
  }
}

/** A WebSocket whose messages are taken one by one. */
export class Peer {
  private readonly messages: (string | Buffer)[] = []
  private readonly socket: WebSocket
  isOpen = false
  isClosed = false

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.socket.on('open', () => (this.isOpen = true))
    this.socket.on('close', () => (this.isClosed = true))
    this.socket.on('error', () => undefined) // a close follows
    this.socket.on('message', (data: Buffer, isBinary) => this.messages.push(isBinary ? data : data.toString()))
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data)
  }

  close(): void {
    this.socket.close()
  }

  async opened(): Promise<this> {
    await until(() => this.isOpen, 'the WebSocket opens', 5_000)
    return this
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed, 'the WebSocket closes', 5_000)
  }

  /** The next message. */
  async next(): Promise<string | Buffer> {
    await until(() => this.messages.length > 0, 'a message arrives', 5_000)
    return this.messages.shift()!
  }

  /** The next message that is not a ping. */
  async nextBesidePings(): Promise<string | Buffer> {
    for (;;) {
      const message = await this.next()
      if (message !== '2') return message
    }
  }
}

async function freePort(): Promise<number> {
  return await new Promise((done) => {
    const probe = createServer()
    probe.listen(0, 'localhost', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => done(port))
    })
  })
}
