import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, until, type Post } from '../server'
import { client, connected, disconnectAll, refused, subscribed } from './clients'

interface PostCreated {
  type: string
  channel: string
  position: string
  id: string
  userId: string
  post: Post
}

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
afterEach(disconnectAll)

test('pusher-js subscribes to a channel of the product by our auth endpoint and receives a post as a flat event', async () => {
  await server.createPost('ada', 'so that there is an author')
  const reader = await connected(client(server, 'reader'))
  const channel = await subscribed(reader, 'private-creator-ada')
  const received: PostCreated[] = []
  channel.bind('post_created', (event: PostCreated) => received.push(event))

  const post = await server.createPost('ada', 'hello')

  await until(() => received.length > 0, 'the post arrives')
  expect(received[0]).toMatchObject({ type: 'post_created', channel: 'creator:ada', userId: 'ada', post: { id: post.id } })
  expect(received[0]!.position).toBeTruthy()
})

test("A user's feed arrives under the name as subscribed, and nobody else's is signed", async () => {
  const reader = await connected(client(server, 'bob'))
  const feed = await subscribed(reader, 'private-feed-bob')
  const received: PostCreated[] = []
  feed.bind('post_created', (event: PostCreated) => received.push(event))

  const post = await server.createPost('bob', 'my own')

  await until(() => received.length > 0, 'the own post arrives')
  expect(received[0]).toMatchObject({ channel: 'feed:bob', post: { id: post.id } })
  expect(await refused(reader, 'private-feed-bobby')).toMatchObject({ status: 403 })
  expect(await refused(reader, 'private-user-bo')).toMatchObject({ status: 403 })
})
