import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, until } from '../server'

/** Whether Redis is installed. */
export const hasRedis = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
})()

/** A Redis of the tests' own, which keeps nothing, on a free port of loopback. */
export class Redis {
  private constructor(
    private readonly folder: string,
    private readonly process: ChildProcess,
    /** As `Tidings:Redis` takes it. */
    readonly address: string,
  ) {}

  static async start(): Promise<Redis> {
    const [folder, port] = [mkdtempSync(join(tmpdir(), 'tidings-interop-redis-')), await freePort()]
    const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder], { stdio: 'ignore' })
    await until(async () => await answers(port), 'Redis is ready')
    return new Redis(folder, server, `127.0.0.1:${port}`)
  }

  async dispose(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done))
    this.process.kill('SIGKILL')
    await ended
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => done(data.toString().startsWith('+PONG')))
    socket.once('error', () => done(false))
    socket.once('data', () => socket.destroy())
  })
}
