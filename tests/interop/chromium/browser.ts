import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../server'

const chromium = process.env['CHROMIUM'] ?? 'chromium'
const resolve = createRequire(import.meta.url).resolve

/** Whether a test that needs Chromium can run, or has to fail since everything must. */
export const mayRun = spawnSync(chromium, ['--version']).status === 0 || process.env['TIDINGS_ALL_TESTS'] === '1'

const libraries: Record<string, string> = {
  '/lib/socket.io.js': join(resolve('socket.io-client/package.json'), '../dist/socket.io.js'),
  '/lib/pusher.js': join(resolve('pusher-js/package.json'), '../dist/web/pusher.js'),
  '/lib/echo.js': join(resolve('laravel-echo'), '../echo.iife.js'),
  '/lib/signalr.js': join(resolve('@microsoft/signalr/package.json'), '../dist/browser/signalr.js'),
  '/lib/signalr-msgpack.js': join(resolve('@microsoft/signalr-protocol-msgpack/package.json'), '../dist/browser/signalr-protocol-msgpack.js'),
}

/** A page with the official clients, of an origin of its own, and a Chromium that opens it. What the page posts is kept under its path. */
export class Browser {
  readonly told: Record<string, unknown> = {}
  private readonly profile = mkdtempSync(join(tmpdir(), 'tidings-chromium-'))
  private process: ChildProcess | undefined

  private constructor(private readonly pages: HttpServer) {}

  /** Serves the page with one of the scripts beside it. What the page asks for is answered by path and query. */
  static async serve(script: string, answers: Record<string, (query: URLSearchParams) => unknown>): Promise<Browser> {
    const html = readFileSync(join(import.meta.dirname, 'page.html'), 'utf8').replace('SCRIPT', script)
    const pages = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://page')
      const file = pathname === `/${script}` ? join(import.meta.dirname, script) : libraries[pathname]
      if (request.method === 'POST') {
        let body = ''
        request.on('data', (part) => (body += String(part)))
        request.on('end', () => {
          browser.told[pathname] = JSON.parse(body)
          response.end()
        })
      } else if (answers[pathname]) {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(answers[pathname](searchParams)))
      } else if (pathname === '/') {
        response.setHeader('content-type', 'text/html')
        response.end(html)
      } else if (file !== undefined) {
        response.setHeader('content-type', 'text/javascript')
        response.end(readFileSync(file))
      } else {
        response.writeHead(404).end()
      }
    })
    const browser = new Browser(pages)
    await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done))
    return browser
  }

  /** The page's origin. */
  get origin(): string {
    return `http://127.0.0.1:${(this.pages.address() as AddressInfo).port}`
  }

  open(): void {
    this.process = spawn(chromium, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${this.profile}`, `${this.origin}/`], {
      stdio: 'ignore',
      detached: true, // a group of its own: its helpers end with it
    })
  }

  /** What the page tells under a path; fails if it says that it failed. */
  async hears(path: string, milliseconds: number): Promise<unknown> {
    await until(() => path in this.told || '/failed' in this.told, `the page tells ${path}`, milliseconds)
    if ('/failed' in this.told) throw new Error(`The page failed: ${String(this.told['/failed'])}`)
    return this.told[path]
  }

  async dispose(): Promise<void> {
    if (this.process && this.process.exitCode === null) {
      const ended = new Promise((done) => this.process?.once('exit', done))
      process.kill(-this.process.pid!, 'SIGKILL')
      await ended
    }
    this.pages.close()
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 20 })
  }
}
