import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { app, Server } from '../server'

interface History {
  events: { type: string; order?: number; count?: number; at?: string }[]
}

/** How each program of docs/backends.md is run, and what must be there for it. ./test.sh installs them all. */
const runtimes = [
  { language: 'js', file: 'emit.mjs', command: ['node'], needs: 'node' },
  { language: 'sh', file: 'emit.sh', command: ['sh'], needs: 'curl' },
  { language: 'python', file: 'emit.py', command: ['python3'], needs: 'python3' },
  { language: 'php', file: 'emit.php', command: ['php'], needs: 'php' },
  { language: 'ruby', file: 'emit.rb', command: ['ruby'], needs: 'ruby' },
  { language: 'go', file: 'emit.go', command: ['go', 'run'], needs: 'go' },
  { language: 'csharp', file: 'emit.cs', command: ['dotnet', 'run'], needs: 'dotnet' },
] as const

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/backends.md'), 'utf8')
let server: Server
let folder: string

beforeAll(async () => {
  server = await Server.start()
  folder = mkdtempSync(join(tmpdir(), 'tidings-backends-'))
})

afterAll(async () => {
  await server.dispose()
  rmSync(folder, { recursive: true, force: true })
})

async function newest(channel: string): Promise<History['events']> {
  const answer = await fetch(`${server.url}/api/realtime/channels/${channel}/history?limit=1`, { headers: { authorization: `Bearer ${app.secret}` } })
  return ((await answer.json()) as History).events
}

async function count(channel: string): Promise<number> {
  const answer = await fetch(`${server.url}/api/realtime/channels/${channel}/history?limit=1000`, { headers: { authorization: `Bearer ${app.secret}` } })
  return ((await answer.json()) as History).events.length
}

describe.each(runtimes)('The program in docs/backends.md for $language', ({ language, file, command, needs }) => {
  const isThere = spawnSync(needs, [needs === 'go' ? 'version' : '--version']).status === 0
  const mayBeMissing = process.env['TIDINGS_ALL_TESTS'] !== '1'

  it.skipIf(!isThere && mayBeMissing)('publishes to a user, to the readers of a post and to everybody', async () => {
    const program = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1]
    expect(program).toBeDefined()
    writeFileSync(join(folder, file), program!)
    const before = await count('user:42')

    const [executable, ...more] = command
    const run = promisify(execFile)(executable, [...more, join(folder, file)], {
      cwd: folder,
      env: { ...process.env, TIDINGS_URL: server.url, TIDINGS_APP_SECRET: app.secret },
      timeout: 120_000,
    })
    await run.catch((error: { stdout?: string; stderr?: string }) => expect.fail(`${error.stdout}${error.stderr}`))

    expect(await newest('user:42')).toMatchObject([{ type: 'order_shipped', order: 7 }])
    expect(await newest('post:7')).toMatchObject([{ type: 'viewers', count: 3 }])
    expect(await newest('broadcast:all')).toMatchObject([{ type: 'maintenance', at: '22:00' }])
    expect(await count('user:42')).toBe(before + 1)
  }, 120_000)
})
