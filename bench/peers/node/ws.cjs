// `ws`: every subscriber is sent to in a loop, as its documentation shows. Argument: the port.
//   GET /         a WebSocket; the text message "subscribe" is answered with "subscribed"
'use strict';
const { WebSocketServer } = require('ws');
const { serve } = require('./http.cjs');

const subscribers = new Set();
const server = serve(event => {
  for (const subscriber of subscribers) subscriber.send(event, { binary: false });
});
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', socket => {
  socket.on('message', message => {
    if (message.toString() !== 'subscribe') return;
    subscribers.add(socket);
    socket.send('subscribed');
  });
  socket.on('close', () => subscribers.delete(socket));
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
