import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backend, client, connected, disconnectAll, hostAuth, subscribed } from '../pusher/clients'
import { Server, until } from '../server'
import { binaries, Postgres } from './postgres'
import { hasRedis, Redis } from './redis'

interface Happened {
  name: string
  channel: string
  subscription_count?: number
}

const canRun = (binaries !== undefined && hasRedis) || process.env['TIDINGS_ALL_TESTS'] === '1'

describe.skipIf(!canRun)('Two nodes with one Redis', () => {
  let postgres: Postgres
  let redis: Redis
  let host: HttpServer
  let nodes: [Server, Server]
  const told: Happened[] = []
  const toldOf = (channel: string, name: string) => told.filter((event) => event.channel === channel && event.name === name)

  const get = async (node: Server, path: string, params: Record<string, string> = {}): Promise<unknown> => await (await backend(node).get({ path, params })).json()
  const subscribers = async (node: Server, channel: string) => await get(node, `/channels/${channel}`, { info: 'subscription_count' })

  beforeAll(async () => {
    ;[postgres, redis] = await Promise.all([Postgres.start(), Redis.start()])
    host = createServer((request, response) => {
      let body = ''
      request.on('data', (part: Buffer) => (body += part.toString()))
      request.on('end', () => {
        told.push(...(JSON.parse(body) as { events: Happened[] }).events)
        response.writeHead(200).end()
      })
    })
    await new Promise<void>((done) => host.listen(0, '127.0.0.1', done))
    const settings = {
      Tidings__Database: postgres.database,
      Tidings__Redis: redis.address,
      Tidings__EncryptionKeys: 'an encryption key of the interoperability tests',
      Tidings__App__SubscriptionCounts: 'true',
      Tidings__Webhooks__host__Url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/hooks`,
      Tidings__Webhooks__host__Events: 'channel_occupied,channel_vacated,member_added,member_removed,subscription_count',
    }
    nodes = [await Server.start(settings), await Server.start(settings)]
  }, 120_000)

  afterAll(async () => {
    disconnectAll()
    for (const node of nodes) await node.dispose()
    await Promise.all([redis.dispose(), postgres.dispose()])
    host.close()
  })

  test('Either tells what is read on both, by how many and by whom, and the host hears of each thing once', async () => {
    const [a, b] = nodes
    const [ada, bob] = [
      await connected(client(a, 'ada', hostAuth(a, { user_id: 'ada' }))),
      await connected(client(b, 'bob', hostAuth(b, { user_id: 'bob' }))),
    ]
    const counts: number[] = []
    const orders = await subscribed(ada, 'orders')
    orders.bind('pusher:subscription_count', (event: { subscription_count: number }) => counts.push(event.subscription_count))
    await subscribed(ada, 'presence-office')
    await subscribed(ada, 'private-of-ada')
    await until(() => counts.at(-1) === 1, 'she hears that she is alone')
    await subscribed(bob, 'orders')
    await subscribed(bob, 'presence-office')

    for (const node of nodes) {
      await until(async () => JSON.stringify(await subscribers(node, 'orders')) === '{"occupied":true,"subscription_count":2}', 'both are counted')
      await until(async () => 'private-of-ada' in ((await get(node, '/channels')) as { channels: object }).channels, 'what she alone reads is listed')
      expect(await get(node, '/channels')).toEqual({ channels: { orders: {}, 'presence-office': {}, 'private-of-ada': {}, broadcast_all: {} } })
      expect(await get(node, '/channels', { filter_by_prefix: 'presence-', info: 'user_count' })).toEqual({ channels: { 'presence-office': { user_count: 2 } } })
      expect(((await get(node, '/channels/presence-office/users')) as { users: { id: string }[] }).users.map((user) => user.id).sort()).toEqual(['ada', 'bob'])
      await until(async () => JSON.stringify(await get(node, '/connections')) === '{"connections":2}', 'the connections of both are counted')
    }
    await until(() => counts.at(-1) === 2, 'she hears of the reader on the other node')

    bob.disconnect()
    await until(() => counts.at(-1) === 1, 'she hears that she is alone again')
    for (const node of nodes) await until(async () => JSON.stringify(await subscribers(node, 'orders')) === '{"occupied":true,"subscription_count":1}', 'one is counted')
    ada.disconnect()
    await until(() => toldOf('orders', 'channel_vacated').length > 0, 'the host hears that nobody reads it')
    await until(() => toldOf('presence-office', 'member_removed').length === 2, 'the host hears that both have gone')
    expect(toldOf('orders', 'channel_occupied')).toHaveLength(1)
    expect(toldOf('orders', 'channel_vacated')).toHaveLength(1)
    expect(toldOf('presence-office', 'member_added')).toHaveLength(2)
    const last = (): number | undefined => toldOf('orders', 'subscription_count').at(-1)?.subscription_count
    await until(() => last() === 0, 'the host hears the last count')
    expect(await get(a, '/channels')).toEqual({ channels: {} })
  }, 60_000)

  test('What a killed node had is forgotten', async () => {
    const [a, b] = nodes
    await subscribed(await connected(client(a)), 'survivors')
    await subscribed(await connected(client(b)), 'survivors')
    await until(async () => JSON.stringify(await subscribers(a, 'survivors')) === '{"occupied":true,"subscription_count":2}', 'both are counted')

    await b.kill()
    await until(async () => JSON.stringify(await subscribers(a, 'survivors')) === '{"occupied":true,"subscription_count":1}', 'one is left')
  }, 60_000)
})
