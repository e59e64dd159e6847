/** The server's side of the live connection, in place of the browser's WebSocket: it accepts every subscription. */
export class LiveServer extends EventTarget {
  static last: LiveServer | null = null;
  static readonly OPEN = 1;
  readyState = 0;
  binaryType = 'blob';
  protocol = '';
  readonly channels = new Map<string, string | undefined>();
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor() {
    super();
    LiveServer.last = this;
    setTimeout(() => {
      this.readyState = 1;
      this.#tell('open', new Event('open'));
      this.push({ type: 'connected', connectionId: 'c1', userId: 'u1', heartbeat: 25, protocol: 'tidings.v1' });
    });
  }

  push(message: object): void {
    this.#tell('message', new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  send(text: string): void {
    const message = JSON.parse(text) as { type: string; id?: number; channel?: string; since?: string };
    if (message.type !== 'subscribe' || message.channel === undefined) return;
    const { id, channel, since } = message;
    this.channels.set(channel, since);
    setTimeout(() => this.push({ type: 'subscribed', id, channel, position: since ?? '0', ...(since !== undefined && { recovered: true }) }));
  }

  close(): void {
    this.readyState = 3;
  }

  #tell(type: 'open' | 'message', event: Event): void {
    if (type === 'open') this.onopen?.(event);
    else this.onmessage?.(event as MessageEvent);
    this.dispatchEvent(event);
  }
}
