// The HTTP side of the peers on Node's own server: POST /publish hands the body on, GET /health is 200.
'use strict';
const http = require('node:http');

exports.serve = publish =>
  http.createServer((request, response) => {
    if (request.method !== 'POST') return response.end('ok');
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      publish(Buffer.concat(chunks));
      response.end();
    });
  });
