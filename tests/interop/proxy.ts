import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net'
import type { Server } from './server'

/** A way to a server that can break without a word, and be closed for a while. */
export class Proxy {
  private isOpen = true
  private readonly pairs = new Set<Socket>()

  private constructor(private readonly listener: TcpServer) {}

  static async to(server: Server): Promise<Proxy> {
    const listener = createServer()
    const proxy = new Proxy(listener)
    listener.on('connection', (client) => {
      if (!proxy.isOpen) return void client.resetAndDestroy()
      const upstream = connect(server.port, '127.0.0.1')
      for (const socket of [client, upstream]) {
        proxy.pairs.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          proxy.pairs.delete(socket)
          client.destroy()
          upstream.destroy()
        })
      }
      client.pipe(upstream)
      upstream.pipe(client)
    })
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
    return proxy
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port
  }

  /** Every link breaks at once, and none comes through until it is opened. */
  cut(): void {
    this.isOpen = false
    for (const socket of this.pairs) socket.resetAndDestroy()
  }

  open(): void {
    this.isOpen = true
  }

  close(): void {
    this.cut()
    this.listener.close()
  }
}
