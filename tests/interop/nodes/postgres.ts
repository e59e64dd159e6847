import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort, until } from '../server'

const unprivileged = 'postgres' // the binaries refuse to run as root; Debian's package makes this user
const isRoot = process.getuid?.() === 0

/** Where PostgreSQL's binaries are; undefined if it is not installed. */
export const binaries = [
  ...(existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort().reverse().map((version) => `/usr/lib/postgresql/${version}/bin`) : []),
  ...(process.env['PATH'] ?? '').split(delimiter),
].find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))

/** A PostgreSQL cluster of the tests' own, in a new folder on a free port of loopback. */
export class Postgres {
  private constructor(
    private readonly folder: string,
    private readonly process: ChildProcess,
    /** As `Tidings:Database` takes it. */
    readonly database: string,
  ) {}

  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(join(tmpdir(), 'tidings-interop-postgres-'))
    if (isRoot) chownSync(folder, ...ids())
    const [data, port] = [join(folder, 'data'), await freePort()]
    const init = command('initdb', '--pgdata', data, '--username', 'tidings', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions')
    execFileSync(init[0]!, init.slice(1), { cwd: folder, stdio: 'pipe' })
    appendFileSync(join(data, 'postgresql.conf'), `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = '${folder}'\nmax_connections = 200\n`)
    const run = command('postgres', '-D', data)
    const child = spawn(run[0]!, run.slice(1), { cwd: folder, stdio: 'ignore' })
    const ready = command('pg_isready', '--quiet', '--host', '127.0.0.1', '--port', String(port))
    await until(() => {
      if (child.exitCode !== null) throw new Error('PostgreSQL ended.')
      try {
        execFileSync(ready[0]!, ready.slice(1), { cwd: folder, stdio: 'pipe' })
        return true
      } catch {
        return false
      }
    }, 'PostgreSQL takes connections')
    return new Postgres(folder, child, `Host=127.0.0.1;Port=${port};Database=postgres;Username=tidings`)
  }

  async dispose(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done))
    this.process.kill('SIGINT') // a fast shutdown
    await ended
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function ids(): [number, number] {
  return [Number(execFileSync('id', ['-u', unprivileged])), Number(execFileSync('id', ['-g', unprivileged]))]
}

function command(program: string, ...more: string[]): string[] {
  const path = join(binaries!, program)
  return isRoot ? ['setpriv', `--reuid=${unprivileged}`, `--regid=${unprivileged}`, '--clear-groups', path, ...more] : [path, ...more]
}
