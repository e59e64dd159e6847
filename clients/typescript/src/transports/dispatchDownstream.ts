import type { TidingsEvent } from '../types.ts';
import { textOf, textsOf, type Message } from './parseMessage.ts';
import type { TransportHost } from './Transport.ts';

/** Hands on what the server says in the same way on every transport: control messages to their place, everything else as an event. */
export function dispatchDownstream(message: Message, host: TransportHost): void {
  switch (message.type) {
    case 'gap':
      host.gap(textsOf(message, 'channels'));
      break;
    case 'token_expiring':
      host.tokenExpiring();
      break;
    case 'unsubscribed': {
      const channel = textOf(message, 'channel');
      const reason = textOf(message, 'reason');
      // Without a reason it is the answer to a command of ours.
      if (channel !== undefined && reason !== undefined)
        host.refused(channel, { code: reason, message: textOf(message, 'message') ?? `The server ended the subscription: ${reason}.` });
      break;
    }
    case 'closing':
    case 'connected':
    case 'ping':
    case 'subscribed': // streams answer for each channel as well; their place is in the token
      break;
    default:
      host.received(message as TidingsEvent);
  }
}
