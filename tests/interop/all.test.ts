import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { type Flat, protocols } from './protocols'
import { Server, until } from './server'

let server: Server
let publicPost: string

beforeAll(async () => {
  server = await Server.start({ Tidings__Auth__AllowAnonymous: 'true' })
  publicPost = (await server.createPost('author', 'The first, which makes the author known')).id
  await server.createPost('alice', 'So that there is an Alice')
})

afterAll(async () => {
  await server.dispose()
})

test('One post after the other: the clients of six protocols, in every way in which they come, receive the same events in the same order', async () => {
  const readers = await Promise.all(protocols.map(async (protocol) => ({ protocol, ...(await protocol.follow(server, `reader-${protocols.indexOf(protocol)}`, 'creator:author', 'post_created')) })))

  const posts: string[] = []
  for (let number = 0; number < 20; number++) posts.push((await server.createPost('author', `Post ${number}`)).id)

  for (const { protocol, events } of readers) await until(() => events.length >= posts.length, `${protocol.name} receives all posts`)
  const seen = (events: Flat[]) => events.map(({ id, position, post }) => ({ id, position, post: (post as { id: string }).id }))
  const expected = seen(readers[0]!.events)
  expect(expected.map((event) => event.post)).toEqual(posts)
  for (const { protocol, events } of readers) expect(seen(events), protocol.name).toEqual(expected)
  await Promise.all(readers.map(async (reader) => await reader.close()))
})

/** Who may read what: alice, bob, and a visitor without a token. Post stands for a post that is open to all. */
const table: readonly (readonly [channel: string, alice: boolean, bob: boolean, visitor: boolean])[] = [
  ['user:alice', true, false, false],
  ['notifications:alice', true, false, false],
  ['feed:alice', true, false, false],
  ['user:alic', false, false, false],
  ['feed:alice2', false, false, false],
  ['creator:author', true, true, false],
  ['creator:nobody', false, false, false],
  ['post:Post', true, true, false],
  ['post:nothing', false, false, false],
  ['public:posts', true, true, false],
  ['room:1', true, true, false],
  ['lobby:1', true, true, true],
  ['broadcast:all', true, true, true],
]

describe.each(protocols)('$name', (protocol) => {
  it.each(table)('%s: alice %s, bob %s, a visitor %s', async (name, ...expected) => {
    const channel = name.replace('Post', publicPost)
    const verdicts = await Promise.all(['alice', 'bob', null].map(async (user) => await protocol.mayRead(server, user, channel)))
    expect(verdicts).toEqual(expected)
  })
})
