import { EventSource, type ErrorEvent } from 'eventsource'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ledger, Server, token, until } from '../server'

interface Event {
  type: string
  channel: string
  id: string
  data?: unknown
  post?: { id: string }
}

let server: Server
const open: EventSource[] = []

beforeEach(async () => void (server = await Server.start(ledger)))

afterEach(async () => {
  for (const source of open.splice(0)) source.close()
  await server.dispose()
})

function stream(channels: string, user = token('reader')): EventSource {
  const source = new EventSource(`${server.url}/sse?channels=${channels}&token=${user}`)
  open.push(source)
  return source
}

function collect(source: EventSource, type: string): Event[] {
  const events: Event[] = []
  source.addEventListener(type, (message) => events.push(JSON.parse(message.data as string) as Event))
  return events
}

async function refusalOf(source: EventSource): Promise<number | undefined> {
  const refused = new Promise<ErrorEvent>((done) => source.addEventListener('error', done))
  return (await refused).code
}

test('An EventSource gets the posts of a creator', async () => {
  await server.createPost('author', 'The first, which makes the author known')
  const source = stream('creator:author')
  const [subscribed, posts] = [collect(source, 'subscribed'), collect(source, 'post_created')]
  await until(() => subscribed.length === 1, 'it is subscribed')
  const post = await server.createPost('author', 'Hello')
  await until(() => posts.length === 1, 'the post arrives')
  expect(posts[0]).toMatchObject({ type: 'post_created', channel: 'creator:author', post: { id: post.id } })
})

test('It is refused with a bad token, without any, and a channel that is not its own', async () => {
  expect(await refusalOf(stream('lobby:1', 'no.token.at-all'))).toBe(401)
  expect(await refusalOf(stream('lobby:1', token('reader', -3_600)))).toBe(401)
  expect(await refusalOf(stream('lobby:1', ''))).toBe(401)
  expect(await refusalOf(stream('user:somebody-else'))).toBe(403)
})

test('It gets everything that it missed when the server was killed, by itself', async () => {
  const source = stream('ledger:1')
  const [subscribed, entries, gaps] = [collect(source, 'subscribed'), collect(source, 'entry'), collect(source, 'gap')]
  await until(() => subscribed.length === 1, 'it is subscribed')
  await server.publish('ledger:1', 'entry', 1)
  await until(() => entries.length === 1, 'the first arrives')

  await server.kill()
  await server.restart()
  for (const entry of [2, 3, 4]) await server.publish('ledger:1', 'entry', entry)

  await until(() => entries.length === 4, 'the rest arrives')
  expect(entries.map((event) => event.data)).toEqual([1, 2, 3, 4])
  expect(gaps).toEqual([])
})

test('It is told when its token has expired, and then refused', async () => {
  const source = stream('lobby:1', token('reader', 2))
  const closing = collect(source, 'closing')
  const refused = refusalOf(source)
  await until(() => closing.length === 1, 'it is told')
  expect(closing[0]).toMatchObject({ code: 4401, reason: 'token_expired' })
  await refused
  await until(() => source.readyState === EventSource.CLOSED, 'it gives up')
})
