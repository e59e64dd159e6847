import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const binary = process.env['TIDINGS_SERVER'] ?? join(root, 'src/Tidings.Server/bin/Debug/net10.0/Tidings.Server.dll')
const authSecret = 'an authentication secret of the interoperability tests'

/** The app that backends and Pusher clients name. */
export const app = { id: 'interop', key: 'interop-key', secret: 'an app secret of the interoperability tests' } as const

/** A durable kind of the host's own, of which a test must miss nothing, and tokens that end on the second. */
export const ledger = {
  Tidings__Auth__ClockSkew: '0s',
  Tidings__Channels__ledger__Access: 'signed-in',
  Tidings__Channels__ledger__History: '1000',
  Tidings__Channels__ledger__Durable: 'true',
} as const

/** A normalised post, as far as these tests look into it. */
export interface Post {
  id: string
  content: { text: string }
}

/** A real server: a process of its own, a free port of loopback, a new data directory. */
export class Server {
  private process: ChildProcess | undefined
  private output = ''

  private constructor(
    readonly port: number,
    private readonly data: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts one. Settings are those of the configuration with `__` between their parts: `{ Tidings__Auth__AllowAnonymous: 'true' }`. */
  static async start(settings: Record<string, string> = {}): Promise<Server> {
    if (!existsSync(binary)) throw new Error(`There is no ${binary}: build the server first (dotnet build src/Tidings.Server).`)
    const server = new Server(await freePort(), mkdtempSync(join(tmpdir(), 'tidings-interop-')), settings)
    await server.run()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Ends it as a crash of the machine's power would, but for the disk. */
  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  /** Asks it to stop, as a deployment does. */
  async stop(): Promise<void> {
    await this.end('SIGTERM')
  }

  /** Starts it again, on the same port with the same data. */
  async restart(): Promise<void> {
    await this.run()
  }

  /** Stops it and forgets its data. */
  async dispose(): Promise<void> {
    await this.end('SIGKILL')
    rmSync(this.data, { recursive: true, force: true })
  }

  /** What it has logged. */
  get log(): string {
    return this.output
  }

  async post(path: string, body: unknown, token: string, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }

  /** Publishes a post of a user. */
  async createPost(user: string, text: string): Promise<Post> {
    const answer = await this.post('/api/posts', { content: text }, token(user))
    if (answer.status !== 201) throw new Error(`The post was answered with ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { post: Post }).post
  }

  /** Publishes an event as the host app's backend. */
  async publish(channel: string, event: string, data: unknown, more: Record<string, unknown> = {}): Promise<{ id: string; position?: string }> {
    const answer = await this.post('/api/realtime/publish', { channel, event, data, ...more }, app.secret)
    if (answer.status !== 200) throw new Error(`The publication was answered with ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as { id: string; position?: string }
  }

  /** How many live connections a user has. */
  async connectionsOf(user: string): Promise<number> {
    const answer = await fetch(`${this.url}/api/realtime/connections?userId=${user}`, { headers: { authorization: `Bearer ${app.secret}` } })
    return ((await answer.json()) as { connections: unknown[] }).connections.length
  }

  private async run(): Promise<void> {
    const child = spawn('dotnet', [binary, '--urls', this.url], {
      env: {
        ...process.env,
        Tidings__DataDirectory: this.data,
        Tidings__Auth__Secret: authSecret,
        Tidings__App__Id: app.id,
        Tidings__App__Key: app.key,
        Tidings__App__Secret: app.secret,
        Tidings__Channels__room__Access: 'signed-in',
        Tidings__Channels__room__Presence: 'true',
        Tidings__Channels__room__ClientPublish: 'true',
        Tidings__Channels__lobby__Access: 'public',
        ...this.settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process = child
    child.stdout.on('data', (text: Buffer) => (this.output += text.toString()))
    child.stderr.on('data', (text: Buffer) => (this.output += text.toString()))
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}:\n${this.output}`)
      return (await fetch(`${this.url}/health/ready`).catch(() => undefined))?.ok ?? false
    }, 'the server is ready')
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null) return
    const ended = new Promise((done) => child.once('exit', done))
    child.kill(signal)
    await ended
  }
}

/** A token of the host app for a user, who is made from it. */
export function token(user: string, lifetimeSeconds = 3_600, claims: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1_000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, iat: now, exp: now + lifetimeSeconds, ...claims })}`
  return `${signed}.${createHmac('sha256', authSecret).update(signed).digest('base64url')}`
}

/** Waits for a condition, asked every 20 ms. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, milliseconds = 20_000): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`It did not happen within ${milliseconds} ms that ${what}.`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

export async function freePort(): Promise<number> {
  return await new Promise((done, fail) => {
    const probe = createServer()
    probe.once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? done(address.port) : fail(new Error('no port'))))
    })
  })
}
