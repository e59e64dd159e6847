// What the Engine.IO part of both public conformance suites asks, 25 + 16 of their 57 cases; the other 16 are in socket.test.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Host, pingInterval, pingTimeout } from './host'

let host: Host
beforeAll(async () => void (host = await Host.start()))
afterAll(() => host.stop())

function expectHandshake(packet: string, upgrades: string[]): void {
  expect(packet[0]).toBe('0')
  const handshake = JSON.parse(packet.slice(1)) as Record<string, unknown>
  expect(Object.keys(handshake).sort()).toEqual(['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades'])
  expect(handshake['sid']).toBeTypeOf('string')
  expect(handshake).toMatchObject({ upgrades, pingInterval, pingTimeout, maxPayload: 1_000_000 })
}

describe.each(['/engine.io/', '/socket.io/'])('Engine.IO at %s', (path) => {
  describe('handshake over polling', () => {
    test('opens a session', async () => {
      const answer = await fetch(host.url(path, 'EIO=4&transport=polling'))
      expect(answer.status).toBe(200)
      expectHandshake(await answer.text(), ['websocket'])
    })

    test('fails with an invalid EIO', async () => {
      expect((await fetch(host.url(path, 'transport=polling'))).status).toBe(400)
      expect((await fetch(host.url(path, 'EIO=abc&transport=polling'))).status).toBe(400)
    })

    test('fails with an invalid transport', async () => {
      expect((await fetch(host.url(path, 'EIO=4'))).status).toBe(400)
      expect((await fetch(host.url(path, 'EIO=4&transport=abc'))).status).toBe(400)
    })

    test('fails with an invalid method', async () => {
      for (const method of ['POST', 'PUT']) expect((await fetch(host.url(path, 'EIO=4&transport=polling'), { method })).status).toBe(400)
    })
  })

  describe('handshake over WebSocket', () => {
    test('opens a session', async () => {
      const peer = host.socket(path, 'EIO=4&transport=websocket')
      expectHandshake((await peer.next()) as string, [])
      peer.close()
    })

    test('fails with an invalid EIO', async () => {
      await host.socket(path, 'transport=websocket').closed()
      await host.socket(path, 'EIO=abc&transport=websocket').closed()
    })

    test('fails with an invalid transport', async () => {
      await host.socket(path, 'EIO=4').closed()
      await host.socket(path, 'EIO=4&transport=abc').closed()
    })
  })

  describe('heartbeat', () => {
    test('pings a polling client', async () => {
      const sid = await host.session(path)
      for (let round = 0; round < 3; round++) {
        const answer = await host.poll(path, sid)
        expect(answer.status).toBe(200)
        expect(await answer.text()).toBe('2')
        expect((await host.send(path, sid, '3')).status).toBe(200)
      }
    })

    test('closes the session of a polling client that does not answer', async () => {
      const sid = await host.session(path)
      await sleep(pingInterval + pingTimeout)
      expect((await host.poll(path, sid)).status).toBe(400)
    })

    test('pings a WebSocket client', async () => {
      const peer = host.socket(path, 'EIO=4&transport=websocket')
      await peer.next()
      for (let round = 0; round < 3; round++) {
        expect(await peer.next()).toBe('2')
        peer.send('3')
      }
      peer.close()
    })

    test('closes the session of a WebSocket client that does not answer', async () => {
      await host.socket(path, 'EIO=4&transport=websocket').closed()
    })
  })

  describe('close', () => {
    test('ends the session of a polling client', async () => {
      const sid = await host.session(path)
      const [held] = await Promise.all([host.poll(path, sid), host.send(path, sid, '1')])
      expect(held.status).toBe(200)
      expect(await held.text()).toBe('6')
      expect((await host.poll(path, sid)).status).toBe(400)
    })

    test('ends the session of a WebSocket client', async () => {
      const peer = host.socket(path, 'EIO=4&transport=websocket')
      await peer.next()
      peer.send('1')
      await peer.closed()
    })
  })

  describe('upgrade', () => {
    test('moves a session from polling to a WebSocket', async () => {
      const sid = await host.session(path)
      const peer = await host.socket(path, `EIO=4&transport=websocket&sid=${sid}`).opened()
      peer.send('2probe')
      expect(await peer.next()).toBe('3probe')
      const held = await host.poll(path, sid)
      expect(held.status).toBe(200)
      expect(await held.text()).toBe('6')
      peer.send('5')
      if (path === '/socket.io/') return // what is said there is not for this layer
      peer.send('4hello')
      expect(await peer.nextBesidePings()).toBe('4hello')
      peer.close()
    })

    test('takes no polls any more', async () => {
      const sid = await host.session(path)
      const peer = await host.socket(path, `EIO=4&transport=websocket&sid=${sid}`).opened()
      peer.send('2probe')
      peer.send('5')
      expect((await host.poll(path, sid)).status).toBe(400)
      peer.close()
    })

    test('takes no second WebSocket', async () => {
      const sid = await host.session(path)
      const peer = await host.socket(path, `EIO=4&transport=websocket&sid=${sid}`).opened()
      peer.send('2probe')
      peer.send('5')
      await host.socket(path, `EIO=4&transport=websocket&sid=${sid}`).closed()
      peer.close()
    })
  })
})

describe('Engine.IO messages over polling', () => {
  const path = '/engine.io/'

  test.each([
    ['one packet of text', '4hello'],
    ['several packets of text', '4test1\x1e4test2\x1e4test3'],
    ['packets of text and binary', '4hello\x1ebAQIDBA=='],
  ])('come back: %s', async (_, body) => {
    const sid = await host.session(path)
    const answer = await host.send(path, sid, body)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('ok')
    const polled = await host.poll(path, sid)
    expect(polled.status).toBe(200)
    expect(await polled.text()).toBe(body)
  })

  test('that are none close the session', async () => {
    const sid = await host.session(path)
    expect((await host.send(path, sid, 'abc')).status).toBe(400)
    expect((await host.poll(path, sid)).status).toBe(400)
  })

  test('are asked for by one poll at a time', async () => {
    const sid = await host.session(path)
    const [first, second] = await Promise.all([host.poll(path, sid), sleep(20).then(async () => await host.poll(path, sid))])
    expect(first.status).toBe(200)
    expect(await first.text()).toBe('1')
    expect(second.status).toBe(400)
    expect((await host.poll(path, sid)).status).toBe(400)
  })

  test('are lost with the poll that is given up, and the session with them', async () => {
    const sid = await host.session(path)
    const giveUp = new AbortController()
    host.poll(path, sid, { signal: giveUp.signal }).catch(() => undefined)
    await sleep(20)
    giveUp.abort()
    expect((await host.poll(path, sid)).status).toBe(400)
  })
})

describe('Engine.IO messages over WebSocket', () => {
  test.each([
    ['text', '4hello'],
    ['binary', Buffer.from([1, 2, 3, 4])],
  ])('come back: %s', async (_, message) => {
    const peer = host.socket('/engine.io/', 'EIO=4&transport=websocket')
    await peer.next()
    peer.send(message)
    expect(await peer.next()).toEqual(message)
    peer.close()
  })

  test('that are none close the session', async () => {
    const peer = host.socket('/engine.io/', 'EIO=4&transport=websocket')
    await peer.next()
    peer.send('abc')
    await peer.closed()
  })
})
