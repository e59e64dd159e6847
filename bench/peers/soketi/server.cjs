// Soketi, one process, its defaults but for limits and its metrics server. Argument: the port. POST /publish is its own sending to a channel, without the signed request.
'use strict';
const { Server } = require('@soketi/soketi');

const app = { id: 'bench', key: 'bench-key', secret: 'bench-secret', maxConnections: -1, maxBackendEventsPerSecond: -1, maxClientEventsPerSecond: -1, maxReadRequestsPerSecond: -1, enabled: true };
const server = new Server({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  debug: false,
  metrics: { enabled: false, driver: 'prometheus', host: '127.0.0.1', port: 0, prometheus: { prefix: 'soketi_' } },
  appManager: { driver: 'array', cache: { enabled: false, ttl: -1 }, array: { apps: [app] } },
});

const configureHttp = server.configureHttp.bind(server);
server.configureHttp = http => {
  http.post('/publish', response => {
    const chunks = [];
    response.onAborted(() => {});
    response.onData((chunk, isLast) => {
      chunks.push(Buffer.from(chunk));
      if (!isLast) return;
      server.adapter.send(app.id, 'fanout', JSON.stringify({ event: 'tick', channel: 'fanout', data: Buffer.concat(chunks).toString() }));
      response.end();
    });
  });
  return configureHttp(http);
};
server.start();
