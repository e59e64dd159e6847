import { HttpTransportType, type HubConnection, HubConnectionState } from '@microsoft/signalr'
import { afterEach, describe, expect, it } from 'vitest'
import { ledger, Server, token, until } from '../server'
import { build, collect, type Event, type Subscribed, ways } from './hub'

let server: Server
const open: HubConnection[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (hub) => await hub.stop()))
  await server.dispose()
})

/** An app's code for a channel that it must not miss anything of: it remembers the last position and hands it back. */
async function follow(hub: HubConnection, channel: string, events: Event[]): Promise<void> {
  let position = (await hub.invoke<Subscribed>('Subscribe', channel)).position
  hub.on('receive', (event: Event) => {
    if (event.channel !== channel || event.position === undefined || !('data' in event)) return
    position = event.position
    events.push(event)
  })
  hub.onreconnected(async () => {
    const again = await hub.invoke<Subscribed>('Subscribe', channel, position)
    if (!again.recovered) throw new Error('Something was lost.')
  })
}

describe.each(ways)('@microsoft/signalr over %s', (_, way) => {
  it('gets everything that it missed when the server was killed', async () => {
    server = await Server.start(ledger)
    const hub = build(server, () => token('reader'), { ...way, reconnects: true })
    open.push(hub)
    await hub.start()
    const seen: Event[] = []
    await follow(hub, 'ledger:1', seen)
    await server.publish('ledger:1', 'entry', 1, { id: 'entry-1' })
    await until(() => seen.length === 1, 'the first arrives')

    await server.kill()
    await until(() => hub.state === HubConnectionState.Reconnecting, 'the client notices')
    await server.restart()
    await Promise.all([2, 3].map(async (entry) => await server.publish('ledger:1', 'entry', entry)))
    await server.publish('ledger:1', 'entry', 4)

    await until(() => seen.length === 4, 'everything arrives')
    expect(new Set(seen.map((event) => event.data))).toEqual(new Set([1, 2, 3, 4]))
    expect(seen[3]?.data).toBe(4)
  })
})

it('tells its clients why it goes, and they come back', async () => {
  server = await Server.start()
  const hub = build(server, () => token('reader'), { transport: HttpTransportType.WebSockets, reconnects: true })
  open.push(hub)
  let why: Error | undefined
  let isBack = false
  hub.onreconnecting((error) => (why = error))
  hub.onreconnected(() => (isBack = true))
  await hub.start()

  await server.stop()
  expect(why?.message).toMatch(/1001 retry=\d+/)
  await server.restart()
  await until(() => isBack, 'it is back')
})
