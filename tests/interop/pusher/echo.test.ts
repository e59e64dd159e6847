import Echo from 'laravel-echo'
import PusherJs from 'pusher-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Server, app, until } from '../server'
import { backend, connected, hostAuth } from './clients'

let server: Server
const open: Echo<'pusher'>[] = []
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => {
  for (const echo of open) echo.disconnect()
  await server.dispose()
})

/** Laravel Echo of a user over pusher-js, as a Laravel app has it. */
async function echoOf(user: string): Promise<Echo<'pusher'>> {
  const pusher = new PusherJs(app.key, {
    cluster: '',
    wsHost: '127.0.0.1',
    wsPort: server.port,
    forceTLS: false,
    enabledTransports: ['ws'],
    ...hostAuth(server, { user_id: user, user_info: { name: user } }),
  })
  const echo = new Echo({ broadcaster: 'pusher', client: pusher, key: app.key })
  open.push(echo)
  await connected(pusher)
  return echo
}

test("Echo hears a Laravel app's events on public and private channels", async () => {
  const echo = await echoOf('ada')
  const received: unknown[] = []
  let ready = 0
  echo.channel('orders').listen('OrderShipped', (event: unknown) => received.push(event)).subscribed(() => ready++)
  echo.private('App.Models.User.42').notification((event: unknown) => received.push(event)).subscribed(() => ready++)
  await until(() => ready === 2, 'both are subscribed')

  await backend(server).trigger('orders', 'App\\Events\\OrderShipped', { order: { id: 7 } })
  await backend(server).trigger('private-App.Models.User.42', 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated', { id: 'n1' })

  await until(() => received.length === 2, 'both arrive')
  expect(received).toEqual([{ order: { id: 7 } }, { id: 'n1' }])
})

test('Echo sees who is here, who is joining and who is leaving, and whispers', async () => {
  const [ada, bob] = [await echoOf('ada'), await echoOf('bob')]
  const seen: string[] = []
  ada
    .join('office')
    .here((users: { name: string }[]) => seen.push(`here ${users.map((user) => user.name).join()}`))
    .joining((user: { name: string }) => seen.push(`joining ${user.name}`))
    .leaving((user: { name: string }) => seen.push(`leaving ${user.name}`))
    .listenForWhisper('typing', (event: { name: string }) => seen.push(`typing ${event.name}`))
  await until(() => seen.length === 1, 'ada is here')
  let ready = false
  const office = bob.join('office')
  office.here(() => (ready = true))
  await until(() => ready && seen.length === 2, 'bob has joined')
  office.whisper('typing', { name: 'bob' })
  await until(() => seen.length === 3, 'the whisper arrives')
  bob.leave('office')

  await until(() => seen.length === 4, 'bob has left')
  expect(seen).toEqual(['here ada', 'joining bob', 'typing bob', 'leaving bob'])
})
