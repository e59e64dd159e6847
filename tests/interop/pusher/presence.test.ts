import type { PresenceChannel } from 'pusher-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, until } from '../server'
import { client, connected, disconnectAll, hostAuth, subscribed } from './clients'

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
afterEach(disconnectAll)

interface Member {
  id: string
  info: unknown
}

const membersOf = (channel: PresenceChannel): string[] => {
  const ids: string[] = []
  channel.members.each((member: Member) => ids.push(member.id))
  return ids.sort()
}

test('Members see who is there, who comes and who goes, each user once', async () => {
  const ada = await connected(client(server, 'ada', hostAuth(server, { user_id: 'ada', user_info: { name: 'Ada' } })))
  const room = (await subscribed(ada, 'presence-office')) as PresenceChannel
  expect(room.members.me).toEqual({ id: 'ada', info: { name: 'Ada' } })
  const seen: string[] = []
  room.bind('pusher:member_added', (member: Member) => seen.push(`+${member.id} ${JSON.stringify(member.info)}`))
  room.bind('pusher:member_removed', (member: Member) => seen.push(`-${member.id}`))

  const tabs = await Promise.all(
    [1, 2].map(async () => await connected(client(server, 'bob', hostAuth(server, { user_id: 'bob', user_info: { name: 'Bob' } })))),
  )
  const first = (await subscribed(tabs[0]!, 'presence-office')) as PresenceChannel
  await subscribed(tabs[1]!, 'presence-office')
  expect(membersOf(first)).toEqual(['ada', 'bob'])
  expect(first.members.count).toBe(2)
  tabs[0]!.disconnect()
  const eve = await connected(client(server, 'eve', hostAuth(server, { user_id: 'eve' })))
  await subscribed(eve, 'presence-office')
  await until(() => seen.length === 2, 'eve is announced')
  tabs[1]!.disconnect()

  await until(() => seen.length === 3, 'bob is gone')
  expect(seen).toEqual(['+bob {"name":"Bob"}', '+eve null', '-bob'])
})

test('Client events in a presence channel carry who sent them, as the server knows it', async () => {
  const ada = await connected(client(server, 'ada', hostAuth(server, { user_id: 'ada' })))
  const bob = await connected(client(server, 'bob', hostAuth(server, { user_id: 'bob' })))
  const [fromAda, atBob] = [await subscribed(ada, 'presence-talk'), await subscribed(bob, 'presence-talk')]
  const received: unknown[] = []
  atBob.bind('client-waved', (data: unknown, metadata: { user_id?: string }) => received.push([data, metadata.user_id]))

  fromAda.trigger('client-waved', { user_id: 'mallory' })

  await until(() => received.length === 1, 'it arrives')
  expect(received).toEqual([[{ user_id: 'mallory' }, 'ada']])
})

test('A presence channel of the product has the members of all protocols', async () => {
  const ada = await connected(client(server, 'ada'))
  const room = (await subscribed(ada, 'presence-room-lounge')) as PresenceChannel
  const seen: string[] = []
  room.bind('pusher:member_added', (member: Member) => seen.push(member.id))

  const bob = await connected(client(server, 'bob'))
  const his = (await subscribed(bob, 'presence-room-lounge')) as PresenceChannel

  expect(membersOf(his)).toEqual(['ada', 'bob'])
  await until(() => seen.includes('bob'), 'ada sees him')
})
