// The Socket.IO part of the public conformance suite: 16 of its cases; what it asks of Engine.IO is in engine.test.ts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Host, type Peer } from './host'

let host: Host
beforeAll(async () => void (host = await Host.start()))
afterAll(() => host.stop())

async function open(): Promise<Peer> {
  const peer = host.socket('/socket.io/', 'EIO=4&transport=websocket')
  await peer.next() // the handshake
  return peer
}

async function connect(): Promise<Peer> {
  const peer = await open()
  peer.send('40')
  await peer.next() // the reply
  await peer.next() // what was sent along
  return peer
}

describe('connect', () => {
  test.each([
    ['the main namespace', '40', '40', '42["auth",{}]'],
    ['the main namespace with a payload', '40{"token":"123"}', '40', '42["auth",{"token":"123"}]'],
    ['another namespace', '40/custom,', '40/custom,', '42/custom,["auth",{}]'],
    ['another namespace with a payload', '40/custom,{"token":"abc"}', '40/custom,', '42/custom,["auth",{"token":"abc"}]'],
  ])('to %s', async (_, packet, reply, auth) => {
    const peer = await open()
    peer.send(packet)
    const answer = (await peer.next()) as string
    expect(answer.slice(0, reply.length)).toBe(reply)
    const { sid, ...rest } = JSON.parse(answer.slice(reply.length)) as { sid: unknown }
    expect(sid).toBeTypeOf('string')
    expect(rest).toEqual({})
    expect(await peer.next()).toBe(auth)
    peer.close()
  })

  test('to a namespace that is not there', async () => {
    const peer = await open()
    peer.send('40/random')
    expect(await peer.next()).toBe('44/random,{"message":"Invalid namespace"}')
    peer.close()
  })

  test('with what is no packet', async () => {
    const peer = await open()
    peer.send('4abc')
    await peer.closed()
  })

  test('not at all', async () => {
    await (await open()).closed()
  })
})

describe('disconnect', () => {
  test('from the main namespace', async () => {
    const peer = await connect()
    peer.send('41')
    expect(await peer.next()).toBe('2')
    peer.close()
  })

  test('from another namespace, and go on in the main one', async () => {
    const peer = await connect()
    expect(await peer.next()).toBe('2')
    peer.send('40/custom')
    await peer.next()
    await peer.next()
    peer.send('41/custom')
    peer.send('42["message","message to main namespace"]')
    expect(await peer.next()).toBe('42["message-back","message to main namespace"]')
    peer.close()
  })
})

describe('message', () => {
  test('of text', async () => {
    const peer = await connect()
    peer.send('42["message",1,"2",{"3":[true]}]')
    expect(await peer.next()).toBe('42["message-back",1,"2",{"3":[true]}]')
    peer.close()
  })

  test('of text, acknowledged', async () => {
    const peer = await connect()
    peer.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    expect(await peer.next()).toBe('43456[1,"2",{"3":[false]}]')
    peer.close()
  })

  const places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
  test.each([
    ['with attachments', `452-["message",${places}]`, `452-["message-back",${places}]`],
    ['with attachments, acknowledged', `452-789["message-with-ack",${places}]`, `462-789[${places}]`],
  ])('%s', async (_, packet, answer) => {
    const peer = await connect()
    const attachments = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])]
    for (const part of [packet, ...attachments]) peer.send(part)
    for (const part of [answer, ...attachments]) expect(await peer.nextBesidePings()).toEqual(part)
    peer.close()
  })

  test.each([
    ['of an unknown type', '4abc'],
    ['with a payload of the wrong form', '42{}'],
    ['with a number of the wrong form', '42abc["message-with-ack",1,"2",{"3":[false]}]'],
  ])('%s, which closes', async (_, packet) => {
    const peer = await connect()
    peer.send(packet)
    await peer.closed()
  })
})
