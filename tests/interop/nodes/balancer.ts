import { type AddressInfo, connect, createServer, type Server as TcpServer, type Socket } from 'node:net'

/** One address in front of several servers: what connects goes to one of them. */
export class Balancer {
  private readonly open = new Set<Socket>()

  private constructor(
    private readonly listener: TcpServer,
    private target: number,
  ) {}

  static async start(target: number): Promise<Balancer> {
    const listener = createServer({ noDelay: true })
    const balancer = new Balancer(listener, target)
    listener.on('connection', (client) => balancer.serve(client))
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
    return balancer
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** From now on what connects goes there; what is open stays. */
  sendTo(target: number): void {
    this.target = target
  }

  /** From now on everything goes there; to nobody if it is 0. */
  turnTo(target: number): void {
    this.sendTo(target)
    for (const socket of this.open) socket.destroy()
  }

  dispose(): void {
    for (const socket of this.open) socket.destroy()
    this.listener.close()
  }

  private serve(client: Socket): void {
    if (this.target === 0) {
      client.destroy()
      return
    }

    const server = connect(this.target, '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.open.add(from)
      from.setNoDelay(true)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.open.delete(from)
        to.destroy()
      })
    }
  }
}
