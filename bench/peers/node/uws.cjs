// uWebSockets: its own topics, its own publish. Argument: the port.
//   GET /         a WebSocket; the text message "subscribe" is answered with "subscribed"
//   POST /publish the body is the next event
'use strict';
const uws = require('@trufflesuite/uws-js-unofficial');

// Without its native part the package falls back to an implementation in JavaScript, which is something else.
if (!Object.keys(require.cache).some(name => name.endsWith('.node'))) throw new Error('the native part of uWebSockets could not be loaded');

const app = uws.App();
app.ws('/*', {
  compression: uws.DISABLED,
  maxBackpressure: 1024 * 1024,
  message: (ws, message) => {
    if (Buffer.from(message).toString() !== 'subscribe') return;
    ws.subscribe('bench');
    ws.send('subscribed');
  },
});
app.post('/publish', response => {
  let body = Buffer.alloc(0);
  response.onAborted(() => {});
  response.onData((chunk, isLast) => {
    body = Buffer.concat([body, Buffer.from(chunk)]);
    if (!isLast) return;
    app.publish('bench', body);
    response.end();
  });
});
app.get('/health', response => response.end('ok'));
app.listen('127.0.0.1', Number(process.argv[2]), socket => {
  if (!socket) process.exit(1);
});
