// Socket.IO over its WebSocket transport; one room. Argument: the port.
'use strict';
const { Server } = require('socket.io');
const { serve } = require('./http.cjs');

const server = serve(event => io.to('bench').emit('tick', JSON.parse(event)));
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
io.on('connection', socket => {
  socket.on('subscribe', () => {
    socket.join('bench');
    socket.emit('subscribed');
  });
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
